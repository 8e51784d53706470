"""The page on which an organiser enters who comes with a guest."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core.db import transaction
from app.core.errors import Conflict, Invalid
from app.core.permissions import Permission, current_actor, needs
from app.meetings import companions, guests
from app.meetings.companions import NewCompanion
from app.meetings.forms import CompanionForm
from app.meetings.models import GuestKind

bp = Blueprint("companions", __name__, url_prefix="/meetings")


@bp.route("/<uuid:meeting_id>/guests/<uuid:guest_id>/companions/new", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def add(meeting_id: UUID, guest_id: UUID) -> ResponseReturnValue:
    form = CompanionForm()
    with transaction() as session:
        guest = guests.find(session, current_actor(), meeting_id, guest_id)
    if not form.validate_on_submit():
        page = render_template("meetings/companion.html", form=form, guest=guest)
        return page, 422 if form.is_submitted() else 200
    new = NewCompanion(GuestKind(form.kind.data), form.name.data, form.email.data or "", form.needs.data or "")
    try:
        with transaction() as session:
            added = companions.add(session, current_actor(), meeting_id, guest_id, new)
    except (Invalid, Conflict) as error:
        form.name.errors = [f"{error} {error.next_step or ''}".strip()]
        return render_template("meetings/companion.html", form=form, guest=guest), 422
    flash(_("%(name)s is on the list. “Send invitations” makes the letter.", name=added.name))
    return redirect(url_for("meetings.show", meeting_id=meeting_id, _anchor="guests"))
