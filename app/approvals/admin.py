"""Pages of accounts: who holds which role, granting and taking away, closing an account, pauses of officers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account
from app.approvals import pauses, roles, words
from app.approvals.forms import CITY, ActForm, RoleForm
from app.core.db import transaction
from app.core.navigation import Place, add_place
from app.core.permissions import Actor, Permission, Role, current_actor, needs
from app.registry import service as registry

bp = Blueprint("roles", __name__, url_prefix="/accounts")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("See who holds which role, grant and take away roles, close accounts.")
    add_place(app, Place(_l("Accounts and roles"), "roles.index", Permission.MANAGE_ACCOUNTS, purpose))


@bp.get("/")
@needs(Permission.MANAGE_ACCOUNTS)
def index() -> ResponseReturnValue:
    actor, text = current_actor(), request.args.get("q", "")[:100]
    with transaction() as session:
        found = roles.search(session, actor, text)
        names = _agency_names(session, found)
        paused = pauses.paused(session, actor)
        labels = accounts.labels(session, [pause.account_id for pause in paused])
        agencies = {
            pause.agency_id: registry.agency(session, pause.agency_id).name for pause in paused if pause.agency_id
        }
    return render_template(
        "approvals/accounts.html",
        found=found,
        names=names,
        text=text,
        paused=paused,
        labels=labels,
        agencies=agencies,
        form=ActForm(),
        page=roles.PAGE,
        words=words,
    )


@bp.get("/<uuid:account_id>")
@needs(Permission.MANAGE_ACCOUNTS)
def show(account_id: UUID) -> ResponseReturnValue:
    return _page(current_actor(), account_id, None), 200


@bp.post("/<uuid:account_id>/roles")
@needs(Permission.MANAGE_ACCOUNTS)
def grant(account_id: UUID) -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    form = _role_form(actor)
    if not form.validate_on_submit():
        return _page(actor, account_id, form), 422
    agency_id = None if form.agency.data == CITY else UUID(form.agency.data)
    with transaction() as session:
        act = roles.ask_for_role(session, actor, account_id, Role(form.role.data), agency_id=agency_id, now=now)
    flash(_("Another administrator must approve. The role is granted in that moment."))
    return redirect(url_for("approvals.show", act_id=act.id))


@bp.post("/<uuid:account_id>/roles/<uuid:grant_id>/withdraw")
@needs(Permission.MANAGE_ACCOUNTS)
def withdraw(account_id: UUID, grant_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        roles.withdraw_role(session, current_actor(), account_id, grant_id)
    flash(_("The role is taken away. It is gone with the next page that the person opens."))
    return redirect(url_for(".show", account_id=account_id))


@bp.post("/<uuid:account_id>/disable")
@needs(Permission.MANAGE_ACCOUNTS)
def disable(account_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        roles.disable(session, current_actor(), account_id, now=datetime.now(UTC))
    flash(_("The account is closed, and every session of it."))
    return redirect(url_for(".show", account_id=account_id))


@bp.post("/pauses/<uuid:pause_id>/lift")
@needs(Permission.MANAGE_ACCOUNTS)
def lift(pause_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        pauses.lift(session, current_actor(), pause_id, now=datetime.now(UTC))
    flash(_("The pause is lifted. Approving is possible again."))
    return redirect(url_for(".index"))


def _page(actor: Actor, account_id: UUID, form: RoleForm | None) -> str:
    with transaction() as session:
        account = roles.find_account(session, actor, account_id)
        names = _agency_names(session, [account])
    return render_template(
        "approvals/account.html",
        account=account,
        names=names,
        form=form or _role_form(actor),
        nothing=ActForm(),
        is_self=account.id == actor.account_id,
        words=words,
    )


def _role_form(actor: Actor) -> RoleForm:
    with transaction() as session:
        choices = [(str(agency.id), agency.name) for agency in roles.agencies(session, actor)]
        return RoleForm(choices, city=roles.may_grant_city(session, actor))


def _agency_names(session: Session, found: Sequence[Account]) -> dict[UUID, str]:
    wanted = {grant.agency_id for account in found for grant in account.grants if grant.agency_id is not None}
    return registry.agency_names(session, wanted)
