"""The result of a search as a file: CSV of any length, written while it is read, and XLSX for what a sheet can hold.

Whoever exports is recorded. A cell never begins a formula (OWASP, CSV injection): a name such as “=cmd” would be run by
the spreadsheet of whoever opens the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from openpyxl import Workbook
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import words
from app.certificates.models import CertificateState
from app.certificates.register_filters import Filters, conditions
from app.certificates.register_search import agency_names, in_order, sort_value
from app.core.errors import Forbidden, TooLarge, TooMany
from app.core.i18n import CITY_ZONE
from app.core.permissions import Actor, Permission
from app.core.throttle import may_pass

LONGEST_CSV: Final = 1_000_000
LONGEST_XLSX: Final = 200_000
AN_HOUR: Final = 3
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK: Final = 5_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


# The last line read: what it is ordered by, and its id.
Mark = tuple[str | datetime, UUID]


class Kind(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def begin(session: Session, actor: Actor, filters: Filters, kind: Kind, *, now: datetime) -> None:
    """Record that the actor exports. Raises Forbidden without the right to, TooMany after three in an hour."""
    if not actor.may(Permission.EXPORT_REGISTER):
        raise Forbidden(_l("Your account is not allowed to export the register."))
    if not may_pass(session, f"export {actor.account_id}", limit=AN_HOUR, per=timedelta(hours=1), now=now):
        raise TooMany(_l("You have made three exports within an hour."), _l("Wait twenty minutes, then try again."))
    asked = ",".join(sorted(filters.arguments()))
    audit.record(
        session, actor, "register_exported", object_kind="register", object_id="certificates", format=kind, asked=asked
    )


def chunk(
    session: Session, actor: Actor, filters: Filters, last: Mark | None, *, now: datetime
) -> tuple[list[list[str]], Mark | None]:
    """Return the next five thousand lines after `last`, and what goes on from there; None when these were the last."""
    asked = conditions(session, actor, filters, now=now)
    found = session.execute(in_order(asked, filters.order, last, CHUNK)).all()
    agencies = agency_names(session, {row.agency_id for row in found if row.agency_id})
    lines = [_line(row, agencies, now) for row in found]
    return lines, sort_value(filters.order, found[-1]) if len(found) == CHUNK else None


def heading() -> list[str]:
    """Return the names of the columns."""
    return [_("Name"), _("Use"), _("Number"), _("State"), _("Issued on"), _("Until"), _("Agency")]


def csv_line(cells: Sequence[str]) -> str:
    """Return one line of a CSV file (RFC 4180) whose cells begin no formula."""
    written = io.StringIO()
    csv.writer(written).writerow([harmless(cell) for cell in cells])
    return written.getvalue()


def write_xlsx(path: Path, lines: Iterator[list[str]]) -> None:
    """Write a workbook with one sheet. Raises TooLarge beyond what a sheet of ours holds."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Certificates"))
    sheet.append(heading())
    for number, line in enumerate(lines, start=1):
        if number > LONGEST_XLSX:
            raise TooLarge(_l("A spreadsheet holds up to 200,000 certificates."), _l("Export the result as CSV."))
        sheet.append([harmless(cell) for cell in line])
    book.save(path)


def harmless(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text: an apostrophe stands before what would begin a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _line(row: Row[*tuple[Any, ...]], agencies: Mapping[UUID, str], now: datetime) -> list[str]:
    over = row.state == CertificateState.ISSUED and row.not_after < now
    state = words.EXPIRED if over else words.CERTIFICATE_STATES[row.state]
    return [
        row.label,
        str(words.PROFILES.get(row.profile, row.profile)),
        row.serial.hex(),
        str(state[0]),
        _local(row.created_at),
        _local(row.not_after),
        agencies.get(row.agency_id, ""),
    ]


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"
