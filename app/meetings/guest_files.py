"""Guests from a file and into one: a dry run that names every bad row, then the adding; the list to keep."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.core.db import transaction
from app.core.errors import Invalid
from app.core.permissions import Permission, current_actor, needs, signed_in
from app.core.security import takes_upload
from app.meetings import guest_lists, guests, service
from app.meetings.forms import ActForm, GuestFileForm
from app.meetings.models import Guest

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
bp = Blueprint("guest_files", __name__, url_prefix="/meetings")


@bp.get("/guests-template.xlsx")
@signed_in("an empty form tells nothing")
def template() -> Response:
    return _attached(guest_lists.template(), XLSX, "mau-khach-moi.xlsx")


@bp.get("/<uuid:meeting_id>/guests.csv")
@needs(Permission.MANAGE_MEETINGS)
def as_csv(meeting_id: UUID) -> Response:
    number, found = _list(meeting_id)
    return _attached(guest_lists.export(found), "text/csv; charset=utf-8", f"khach-moi-{number}.csv")


@bp.get("/<uuid:meeting_id>/guests.xlsx")
@needs(Permission.MANAGE_MEETINGS)
def as_xlsx(meeting_id: UUID) -> Response:
    number, found = _list(meeting_id)
    return _attached(guest_lists.export_xlsx(found), XLSX, f"khach-moi-{number}.xlsx")


@bp.route("/<uuid:meeting_id>/guests/file", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
@takes_upload
def check(meeting_id: UUID) -> ResponseReturnValue:
    form = GuestFileForm()
    with transaction() as session:
        meeting = service.find(session, current_actor(), meeting_id)
    if not form.validate_on_submit():
        return render_template("meetings/file.html", form=form, meeting=meeting), 422 if form.is_submitted() else 200
    content = form.file.data.read(guest_lists.MAXIMUM_BYTES + 1)
    try:
        with transaction() as session:
            run = guest_lists.dry_run(session, current_actor(), meeting_id, content)
    except Invalid as error:
        form.file.errors = [f"{error} {error.next_step or ''}".strip()]
        return render_template("meetings/file.html", form=form, meeting=meeting), 422
    # The file travels through the page: nothing of it is kept before somebody says so.
    packed = base64.b64encode(content).decode()
    return render_template("meetings/file_check.html", meeting=meeting, run=run, packed=packed, act=ActForm())


@bp.post("/<uuid:meeting_id>/guests/file/confirm")
@needs(Permission.MANAGE_MEETINGS)
@takes_upload
def confirm(meeting_id: UUID) -> ResponseReturnValue:
    try:
        content = base64.b64decode(request.form.get("packed", ""), validate=True)
    except ValueError as error:
        raise Invalid(_l("The file was lost on the way. Nothing was added."), _l("Choose the file again.")) from error
    with transaction() as session:
        run = guest_lists.dry_run(session, current_actor(), meeting_id, content)
        added = guests.add_all(session, current_actor(), meeting_id, run.guests)
    flash(ngettext("%(num)s guest was added.", "%(num)s guests were added.", added))
    return redirect(url_for("meetings.show", meeting_id=meeting_id, _anchor="guests"))


def _list(meeting_id: UUID) -> tuple[int, Sequence[Guest]]:
    with transaction() as session:
        meeting = service.find(session, current_actor(), meeting_id)
        return meeting.number, guests.of_meeting(session, meeting)


def _attached(content: bytes, kind: str, name: str) -> Response:
    return Response(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
