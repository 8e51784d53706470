"""The supervisors' page of incidents: what is open, what was resolved, and resolving with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.core.db import transaction
from app.core.errors import Sentence
from app.core.permissions import Permission, current_actor, needs
from app.gate import incidents
from app.gate.models_leases import IncidentKind

bp = Blueprint("gate_incidents", __name__, url_prefix="/gate/incidents")

# What happened, and what to do.
WORDS: Final[dict[IncidentKind, tuple[Sentence, Sentence]]] = {
    IncidentKind.DOUBLE_ENTRY: (
        _l("One invitation was used twice"),
        _l("Find out who came in the second time: compare both portraits, and ask the guards of both gates."),
    ),
    IncidentKind.ENTERED_ENDED: (
        _l("Somebody came in with an invitation that had ended"),
        _l("The gate had no network and could not know. Ask the organiser whether the person may stay."),
    ),
    IncidentKind.CLOCK_JUMP: (
        _l("The clock of a tablet jumped"),
        _l("Check date and time of the tablet; somebody may have changed them."),
    ),
    IncidentKind.CHAIN_GAP: (
        _l("Entries are missing in the log of a tablet"),
        _l("Usually they arrive a little later. If not, the tablet was emptied: enrol it again."),
    ),
    IncidentKind.CHAIN_FORK: (
        _l("The log of a tablet has two continuations"),
        _l("The tablet was copied or restored. Revoke it, and enrol it again."),
    ),
    IncidentKind.STALE_EPOCH: (
        _l("A tablet let somebody in without the right to"),
        _l("Ask the guard of that gate why, and compare the portrait."),
    ),
    IncidentKind.REVOKED_DEVICE: (
        _l("A revoked tablet sent scans"),
        _l("They are kept as evidence and count for nothing. Find the tablet."),
    ),
    IncidentKind.RIGHTS_IN_DOUBT: (
        _l("A tablet started again in the middle of its work"),
        _l(
            "It may have let people in that nobody knows of. If it was merely restarted and its scans have arrived, "
            "resolve this: its guests may then enter at every gate."
        ),
    ),
    IncidentKind.OVERRIDE: (
        _l("A supervisor let somebody in against the rule"),
        _l("Note who it was and why."),
    ),
}


class ResolveForm(FlaskForm):
    """What was found."""

    reason = StringField(_l("What was found"), [InputRequired(_l("Write what was found.")), Length(max=500)])


@bp.get("/")
@needs(Permission.MANAGE_GATES)
def index() -> ResponseReturnValue:
    kind = request.args.get("kind", "")
    resolved = request.args.get("resolved") == "1"
    chosen = IncidentKind(kind) if kind in set(IncidentKind) else None
    with transaction() as session:
        found = incidents.listed(
            session,
            current_actor(),
            kind=chosen,
            resolved=resolved,
            before=request.args.get("before", type=datetime.fromisoformat),
        )
    last = found[-1].incident.recorded_at.isoformat() if len(found) == incidents.PAGE else None
    return render_template(
        "gate/incidents.html",
        found=found,
        words=WORDS,
        kinds=list(IncidentKind),
        kind=chosen,
        resolved=resolved,
        older=last,
        form=ResolveForm(),
    )


@bp.post("/<uuid:incident_id>/resolve")
@needs(Permission.MANAGE_GATES)
def resolve(incident_id: UUID) -> ResponseReturnValue:
    form = ResolveForm()
    if not form.validate_on_submit():
        flash(_("Write what was found."))
        return redirect(url_for(".index"))
    with transaction() as session:
        incidents.resolve(
            session, incident_id, reason=form.reason.data or "", actor=current_actor(), now=datetime.now(UTC)
        )
    flash(_("The incident is resolved."))
    return redirect(url_for(".index"))
