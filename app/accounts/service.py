"""Signing in and out, and turning an open session into the actor of a request."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import Account, RoleGrant, SignInSession
from app.accounts.passwords import hash_password, is_password
from app.audit import service as audit
from app.core.errors import Invalid, TooMany
from app.core.permissions import Actor, Grant, Role
from app.core.throttle import may_pass

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)
# Writing on every request would make each page a write; the idle limit is exact to this much.
_SEEN_STEP: Final = timedelta(minutes=1)
# Asked at every request, so put together once.
_RESUME: Final = (
    select(SignInSession)
    .where(SignInSession.token_sha256 == bindparam("token_sha256"))
    .options(joinedload(SignInSession.account).joinedload(Account.grants))
)


def actor_of(account: Account) -> Actor:
    """Return the actor for `account` with the roles it holds now."""
    grants = tuple(Grant(Role(grant.role), grant.agency_id) for grant in account.grants)
    return Actor(account_id=account.id, person_id=account.person_id, label=account.label, grants=grants)


def create_account(
    session: Session, *, login: str, label: str, person_id: UUID | None = None, password: str | None = None
) -> Account:
    """Create an account without roles; `password` None means it cannot sign in with one."""
    account = Account(
        login=login.strip().lower(),
        label=label,
        person_id=person_id,
        password_hash=hash_password(password) if password else None,
    )
    session.add(account)
    session.flush()
    return account


def grant_role(session: Session, account: Account, role: Role, *, agency_id: UUID | None, actor: Actor) -> None:
    """Give `account` a role within an agency and all below it, or the whole city when `agency_id` is None."""
    account.grants.append(RoleGrant(role=role, agency_id=agency_id))
    audit.record(
        session, actor, "role_granted", object_kind="account", object_id=account.id, agency_id=agency_id, role=role
    )
    session.flush()


def withdraw_role(session: Session, account: Account, role: Role, *, agency_id: UUID | None, actor: Actor) -> bool:
    """Take a role away; it is gone with the account's next request. Returns False if it was not held."""
    held = [grant for grant in account.grants if grant.role == role and grant.agency_id == agency_id]
    for grant in held:
        account.grants.remove(grant)
        audit.record(
            session,
            actor,
            "role_withdrawn",
            object_kind="account",
            object_id=account.id,
            agency_id=agency_id,
            role=role,
        )
    session.flush()
    return bool(held)


def disable(session: Session, account: Account, *, actor: Actor, now: datetime) -> bool:
    """Close the account and every session of it. Returns False if it was closed before."""
    closed = session.execute(
        update(Account)
        .where(Account.id == account.id, Account.disabled_at.is_(None))
        .values(disabled_at=now)
        .returning(Account.id)
    ).scalar_one_or_none()
    if closed is None:
        return False
    close_all_sessions(session, account.id, now=now)
    audit.record(session, actor, "account_disabled", object_kind="account", object_id=account.id)
    session.refresh(account)
    return True


def close_all_sessions(session: Session, account_id: UUID, *, now: datetime, but: str = "") -> None:
    """End every open session of an account, the one with the cookie value `but` excepted."""
    session.execute(
        update(SignInSession)
        .where(
            SignInSession.account_id == account_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.token_sha256 != _digest(but),
        )
        .values(revoked_at=now)
    )


def change_password(session: Session, actor: Actor, *, current: str, new: str, token: str, now: datetime) -> None:
    """Set another password and end every other session. Raises Invalid if `current` is not the password.

    `token` is the cookie value of the session that stays. The caller has counted the try.
    """
    account = session.get_one(Account, actor.account_id)
    if not is_password(account.password_hash, current):
        raise Invalid(_l("This is not your password now."))
    account.password_hash = hash_password(new)
    close_all_sessions(session, account.id, now=now, but=token)
    audit.record(session, actor, "password_changed", object_kind="account", object_id=account.id)


def login_of(session: Session, actor: Actor) -> str:
    """Return the sign-in name of the actor's account."""
    return session.get_one(Account, actor.account_id).login


def throttle_sign_in(session: Session, *, login: str, address: str, now: datetime) -> None:
    """Count a try. Raises TooMany after five a minute for an account or fifty for an address."""
    minute = timedelta(minutes=1)
    by_account = may_pass(session, f"sign-in:{login.strip().lower()}", limit=5, per=minute, now=now)
    by_address = may_pass(session, f"sign-in-from:{address}", limit=50, per=minute, now=now)
    if not (by_account and by_address):
        raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))


def check_password(session: Session, *, login: str, password: str) -> Account:
    """Return the account. Raises Invalid with the same sentence whether the login or the password is wrong."""
    account = session.scalar(select(Account).where(Account.login == login.strip().lower()))
    fits = is_password(account.password_hash if account else None, password)
    if account is None or not fits or account.disabled_at is not None:
        raise Invalid(_l("The name or the password is not right."))
    return account


def find_account(session: Session, login: str) -> Account | None:
    return session.scalar(select(Account).where(Account.login == login, Account.disabled_at.is_(None)))


def labels(session: Session, account_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return what to call each of the accounts."""
    wanted = {account_id for account_id in account_ids if account_id is not None}
    rows = session.execute(select(Account.id, Account.label).where(Account.id.in_(wanted)))
    return {row.id: row.label for row in rows}


def open_session(session: Session, account: Account, *, now: datetime) -> str:
    """Open a session and return its cookie value (43 characters, 256 random bits), which is not stored."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_sha256=_digest(token),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE,
        )
    )
    audit.record(session, actor_of(account), "signed_in", object_kind="account", object_id=account.id)
    return token


def resume_session(session: Session, token: str, *, now: datetime) -> SignInSession | None:
    """Return the open session for a cookie, or None when it ended, idled out, or its account was disabled."""
    found = session.scalars(_RESUME, {"token_sha256": _digest(token)}).unique().one_or_none()
    if found is None or found.revoked_at is not None or found.account.disabled_at is not None:
        return None
    if now >= found.expires_at or now >= found.last_seen_at + IDLE:
        return None
    if now >= found.last_seen_at + _SEEN_STEP:
        # Compare-and-set: a session that was revoked meanwhile is not brought back.
        session.execute(
            update(SignInSession)
            .where(SignInSession.id == found.id, SignInSession.revoked_at.is_(None))
            .values(last_seen_at=now)
        )
    return found


def close_session(session: Session, token: str, *, now: datetime) -> None:
    """End one session; ending it twice changes nothing."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_sha256 == _digest(token), SignInSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
