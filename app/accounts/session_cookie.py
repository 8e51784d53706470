"""The sign-in cookie and Flask-Login's loader: the cookie names a server-side session, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import Flask, Request, Response, current_app
from flask import session as form_session
from flask_login import LoginManager, UserMixin

from app.accounts import service
from app.accounts.models import Account
from app.core.db import transaction
from app.core.permissions import Actor


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """What `current_user` is while somebody is signed in."""

    id: UUID
    actor: Actor
    label: str
    language: str


def init_accounts(app: Flask) -> None:
    """Use Flask-Login for its loader only: it neither writes a session nor remembers anyone."""
    manager = LoginManager()
    manager.session_protection = None
    manager.request_loader(_load)
    manager.init_app(app)


def cookie_name() -> str:
    return "__Host-kyvao" if current_app.config["SESSION_COOKIE_SECURE"] else "kyvao"


def sign_in(response: Response, account: Account) -> Response:
    """Open a session for `account` and put its cookie on `response`; the form token begins anew."""
    with transaction() as session:
        token = service.open_session(session, account, now=datetime.now(UTC))
    form_session.clear()
    response.set_cookie(
        cookie_name(),
        token,
        max_age=int(service.ABSOLUTE.total_seconds()),
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def sign_out(response: Response, request: Request) -> Response:
    """Revoke the session of `request` and remove its cookie."""
    token = request.cookies.get(cookie_name())
    if token:
        with transaction() as session:
            service.close_session(session, token, now=datetime.now(UTC))
    form_session.clear()
    response.delete_cookie(cookie_name(), path="/", secure=current_app.config["SESSION_COOKIE_SECURE"], httponly=True)
    return response


def _load(request: Request) -> SignedIn | None:
    token = request.cookies.get(cookie_name())
    if not token or len(token) > 64:
        return None
    with transaction() as session:
        found = service.resume_session(session, token, now=datetime.now(UTC))
        if found is None:
            return None
        account = found.account
        return SignedIn(account.id, service.actor_of(account), account.label, account.language)
