"""The attendance of a meeting as a workbook (ECMA-376)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from app.core.i18n import local
from app.meetings.models import GuestKind
from app.visits.attendance import WORDS, Attendance, Attendee

_WIDTHS: Final = (32, 24, 32, 16, 18, 18, 20, 18)
_HEAD_ROWS: Final = 4


def workbook(found: Attendance, *, now: datetime) -> bytes:
    """Return a sheet: what it is about, then one row for each guest. Every cell is text, times are the city's."""
    meeting = found.meeting
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = _("Attendance")
    came = _("%(came)s of %(invited)s came", came=found.came, invited=len(found.people))
    as_of = _("As of %(time)s", time=_time(now))
    head = (
        (meeting.title,),
        (f"{_time(meeting.starts_at)} – {_time(meeting.ends_at)}, {meeting.room.name}, {meeting.room.building.name}",),
        (f"{came}. {as_of}",),
        _heads(),
    )
    for number, line in enumerate((*head, *map(_line, found.people)), 1):
        for column, content in enumerate(line, 1):
            cell = sheet.cell(number, column, content)
            # Whatever it begins with: a text is never a formula.
            cell.data_type = "s"
            cell.font = Font(bold=number in {1, _HEAD_ROWS})
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = f"A{_HEAD_ROWS + 1}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _heads() -> Sequence[str]:
    return (
        _("Full name"),
        _("Post"),
        _("Organisation"),
        _("Standing"),
        _("Came at"),
        _("Left at"),
        _("Gate"),
        _("With"),
    )


def _line(one: Attendee) -> Sequence[str]:
    guest = one.guest
    beside = guest.of_guest.name if guest.kind != GuestKind.INVITED and guest.of_guest is not None else ""
    return (
        guest.name,
        guest.title,
        guest.organisation,
        str(WORDS[one.standing]),
        _time(one.came_at),
        _time(one.left_at),
        one.gate,
        beside,
    )


def _time(moment: datetime | None) -> str:
    return f"{local(moment):%d/%m/%Y %H:%M}" if moment is not None else ""
