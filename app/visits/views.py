"""Pages on what came of a meeting."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, Response, render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.permissions import Permission, current_actor, needs
from app.visits import attendance, reports
from app.visits.attendance import Standing

bp = Blueprint("attendance", __name__, url_prefix="/visits")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def init(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/<uuid:meeting_id>")
@needs(Permission.MANAGE_MEETINGS)
def show(meeting_id: UUID) -> ResponseReturnValue:
    return _rendered("visits/attendance.html", meeting_id)


@bp.get("/<uuid:meeting_id>/part")
@needs(Permission.MANAGE_MEETINGS)
def part(meeting_id: UUID) -> ResponseReturnValue:
    """Give the part of the page that keeps itself up to date."""
    return _rendered("visits/attendance_part.html", meeting_id)


@bp.get("/<uuid:meeting_id>/attendance.xlsx")
@needs(Permission.MANAGE_MEETINGS)
def workbook(meeting_id: UUID) -> Response:
    now = datetime.now(UTC)
    with transaction() as session:
        found = attendance.of_meeting(session, current_actor(), meeting_id, now=now)
        content = reports.workbook(found, now=now)
        attendance.note_export(session, current_actor(), found.meeting)
    name = f"tham-du-{found.meeting.number}.xlsx"
    return Response(content, content_type=_XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _rendered(template: str, meeting_id: UUID) -> str:
    with transaction() as session:
        found = attendance.of_meeting(session, current_actor(), meeting_id, now=datetime.now(UTC))
    wanted = request.args.get("standing", "")
    people = [one for one in found.people if wanted not in set(Standing) or one.standing == wanted]
    return render_template(template, found=found, people=people, wanted=wanted, words=attendance.WORDS)
