"""The page of alarms: the open ones, then the closed; administrators close, auditors read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.alarms import api, service, words
from app.alarms.models import Alarm
from app.core.db import transaction
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs
from app.interface import views as interface
from app.registry import service as registry

bp = Blueprint("alarms", __name__, url_prefix="/alarms")


class CloseForm(FlaskForm):
    """Only the form token."""


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    interface.register(app, api.operations)
    purpose = _l("What needs to be looked at: rates, lists, keys, clocks.")
    add_place(app, Place(_l("Alarms"), "alarms.index", Permission.READ_ALARMS, purpose))
    add_waiting(app, waiting)


def waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    """Return the open alarms that the actor may close, for the home page."""
    if not actor.may(Permission.CLOSE_ALARMS):
        return []
    count = service.count_open(session, actor)
    sentence = ngettext("%(num)s alarm is open", "%(num)s alarms are open", count)
    return [Waiting(sentence, url_for("alarms.index"), count)]


@bp.get("/")
@needs(Permission.READ_ALARMS)
def index() -> ResponseReturnValue:
    actor = current_actor()
    before = request.args.get("before", type=datetime.fromisoformat)
    with transaction() as session:
        found = service.open_alarms(session, actor)
        closed = service.closed_alarms(session, actor, before=before)
        labels = accounts.labels(session, [alarm.closed_by for alarm in closed])
        names = {str(one): name for one, name in accounts.labels(session, _objects(found, "account")).items()}
        names |= {str(one): name for one, name in registry.agency_names(session, _objects(found, "agency")).items()}
    last = closed[-1].closed_at if len(closed) == service.PAGE else None
    return render_template(
        "alarms/index.html",
        found=found,
        closed=closed,
        labels=labels,
        names=names,
        older=last.isoformat() if last else None,
        may_close=actor.may(Permission.CLOSE_ALARMS),
        form=CloseForm(),
        words=words,
    )


def _objects(found: Sequence[Alarm], kind: str) -> list[UUID]:
    return [UUID(alarm.object_id) for alarm in found if alarm.object_kind == kind]


@bp.post("/<uuid:alarm_id>/close")
@needs(Permission.CLOSE_ALARMS)
def close(alarm_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.close(session, current_actor(), alarm_id, now=datetime.now(UTC))
    flash(_("The alarm is closed. If it happens again, a new one is raised."))
    return redirect(url_for(".index"))
