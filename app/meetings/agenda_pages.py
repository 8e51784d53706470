"""Pages on which an organiser writes the agenda and puts papers with a meeting."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core.db import transaction
from app.core.errors import Invalid
from app.core.permissions import Permission, current_actor, needs
from app.meetings import agenda, papers, service
from app.meetings.forms import AgendaForm

bp = Blueprint("agenda", __name__, url_prefix="/meetings")


@bp.route("/<uuid:meeting_id>/agenda", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def edit(meeting_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        meeting = service.find(session, current_actor(), meeting_id)
        form = AgendaForm(points=agenda.written(session, meeting))
    if not form.validate_on_submit():
        return render_template("meetings/agenda.html", form=form, meeting=meeting), 422 if form.is_submitted() else 200
    try:
        with transaction() as session:
            agenda.replace(session, current_actor(), meeting_id, form.points.data or "")
    except Invalid as error:
        form.points.errors = [str(error)]
        return render_template("meetings/agenda.html", form=form, meeting=meeting), 422
    flash(_("The agenda is kept. Guests read it on their page."))
    return redirect(url_for("meetings.show", meeting_id=meeting_id, _anchor="agenda"))


@bp.get("/<uuid:meeting_id>/papers")
@needs(Permission.MANAGE_MEETINGS)
def lying(meeting_id: UUID) -> ResponseReturnValue:
    text = request.args.get("q", "")
    with transaction() as session:
        meeting = service.find(session, current_actor(), meeting_id)
        present = papers.of_meeting(session, meeting_id)
        found = papers.signed(session, current_actor(), text)
    with_meeting = {one.version_id for one in present}
    return render_template(
        "meetings/papers.html",
        meeting=meeting,
        papers=present,
        found=[one for one in found if one.newest.id not in with_meeting],
        text=text,
    )


@bp.post("/<uuid:meeting_id>/papers/<uuid:document_id>")
@needs(Permission.MANAGE_MEETINGS)
def attach(meeting_id: UUID, document_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        paper = papers.attach(session, current_actor(), meeting_id, document_id, now=datetime.now(UTC))
    flash(_("“%(title)s” lies with the meeting. Guests open it on their page.", title=paper.title))
    return redirect(url_for(".lying", meeting_id=meeting_id))


@bp.post("/<uuid:meeting_id>/papers/<uuid:paper_id>/remove")
@needs(Permission.MANAGE_MEETINGS)
def take_away(meeting_id: UUID, paper_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        papers.take_away(session, current_actor(), meeting_id, paper_id, now=datetime.now(UTC))
    flash(_("The paper is taken away. Guests no longer open it."))
    return redirect(url_for(".lying", meeting_id=meeting_id))
