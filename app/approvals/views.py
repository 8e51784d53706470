"""The inbox of acts that need a second person, and the page on which one decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import admin, api, policy, reading, service, words
from app.approvals.forms import ActForm, ApprovalForm, RefusalForm
from app.approvals.kinds import Description, kind_of
from app.approvals.models import Act, ActState
from app.core.db import transaction
from app.core.errors import AppError
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs
from app.interface import views as interface

bp = Blueprint("approvals", __name__, url_prefix="/approvals")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    interface.register(app, api.operations)
    admin.init(app)
    policy.configure(app.extensions["kyvao_settings"])
    purpose = _l("Decide on what needs a second person, see what became of your own requests.")
    add_place(app, Place(_l("Approvals"), "approvals.index", Permission.SEE_APPROVALS, purpose))
    add_waiting(app, waiting)


def waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    """Return what of this waits for the actor, for the home page."""
    if not actor.may(Permission.SEE_APPROVALS):
        return []
    count = reading.count_pending(session, actor)
    sentence = ngettext("%(num)s act waits for your decision", "%(num)s acts wait for your decision", count)
    return [Waiting(sentence, url_for("approvals.index"), count)]


@bp.get("/")
@needs(Permission.SEE_APPROVALS)
def index() -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    view, kind = request.args.get("view", "waiting"), request.args.get("kind") or None
    before = request.args.get("before", type=datetime.fromisoformat)
    with transaction() as session:
        found = _listed(session, actor, view, kind, before)
        lines = [(act, _described(session, act), act.state_at(now)) for act in found]
        labels = accounts.labels(session, [act.requested_by for act in found])
        waiting_count = reading.count_pending(session, actor)
    older = found[-1].requested_at.isoformat() if len(found) == reading.PAGE and view in {"asked", "decided"} else None
    return render_template(
        "approvals/index.html",
        lines=lines,
        labels=labels,
        view=view,
        kind=kind,
        older=older,
        waiting_count=waiting_count,
        reads_all=actor.may(Permission.READ_AUDIT),
        words=words,
    )


@bp.get("/<uuid:act_id>")
@needs(Permission.SEE_APPROVALS)
def show(act_id: UUID) -> ResponseReturnValue:
    return _page(act_id, RefusalForm(), None), 200


@bp.post("/<uuid:act_id>/approve")
@needs(Permission.SEE_APPROVALS)
def approve(act_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        act = service.find_visible(session, actor, act_id)
        form = ApprovalForm(_described(session, act).confirmation)
    if not form.validate_on_submit():
        return _page(act_id, RefusalForm(formdata=None), form), 422
    with transaction() as session:
        done = service.approve(session, actor, act_id, digest=form.digest.data or "", now=datetime.now(UTC))
    _say(done)
    return redirect(url_for(".show", act_id=act_id))


@bp.post("/<uuid:act_id>/refuse")
@needs(Permission.SEE_APPROVALS)
def refuse(act_id: UUID) -> ResponseReturnValue:
    form = RefusalForm()
    if not form.validate_on_submit():
        return _page(act_id, form, None), 422
    with transaction() as session:
        service.refuse(session, current_actor(), act_id, note=form.note.data or "", now=datetime.now(UTC))
    flash(_("The request is refused. The person who asked reads your reason."))
    return redirect(url_for(".index"))


@bp.post("/<uuid:act_id>/withdraw")
@needs(Permission.SEE_APPROVALS)
def withdraw(act_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.withdraw(session, current_actor(), act_id, now=datetime.now(UTC))
    flash(_("The request is withdrawn. Nothing was done."))
    return redirect(url_for(".index", view="asked"))


def _listed(session: Session, actor: Actor, view: str, kind: str | None, before: datetime | None) -> Sequence[Act]:
    if view == "asked":
        found = reading.asked_by(session, actor, kind=kind, before=before)
    elif view == "decided":
        found = reading.decided(session, actor, kind=kind, before=before)
    elif view == "all":
        found = reading.all_pending(session, actor)
    else:
        found = reading.pending(session, actor)
    return [act for act in found if kind is None or act.kind == kind]


def _described(session: Session, act: Act) -> Description:
    """Return what is shown of an act; for one whose object is gone or unknown here, its kind alone."""
    try:
        return kind_of(act.kind).describe(session, act)
    except AppError:
        return Description(words.kind_name(act.kind))


def _page(act_id: UUID, refusal: RefusalForm, approval: ApprovalForm | None) -> str:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        act = service.find_visible(session, actor, act_id)
        description = _described(session, act)
        votes = reading.votes(session, act.id)
        labels = accounts.labels(session, [act.requested_by])
        may_decide = any(other.id == act.id for other in service.pending(session, actor))
    if approval is None:
        approval = ApprovalForm(description.confirmation)
        approval.digest.data = act.digest_hex
    return render_template(
        "approvals/show.html",
        act=act,
        state=act.state_at(now),
        description=description,
        votes=votes,
        requester=labels.get(act.requested_by, ""),
        is_own=act.requested_by == actor.account_id,
        may_decide=may_decide,
        refusal=refusal,
        approval=approval,
        nothing=ActForm(),
        words=words,
    )


def _say(act: Act) -> None:
    if act.state == ActState.EXECUTED:
        flash(_("Approved by all who were needed. It is done."))
    elif act.state == ActState.PENDING:
        flash(_("Your approval is recorded. Another person must approve too."))
    else:
        flash(_("It was not done: %(why)s", why=act.failure or ""), "warning")
