"""What became of each row, as a file: streamed in CSV, or a workbook. No cell can be run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext as _
from openpyxl import Workbook
from sqlalchemy import Select, select

from app.campaigns import words
from app.campaigns.models import Invitation, Outcome, Row
from app.certificates.models import Certificate, CertificateRequest
from app.core.db import transaction
from app.core.i18n import moment
from app.registry.models import Agency

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A workbook is made as a whole while somebody waits for it; longer lists go out as CSV, line by line.
MOST_XLSX: Final = 100_000
_PIECE: Final = 5_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Head:
    """The head of the table and the words for states, in the reader's language."""

    columns: Sequence[str]
    accepted: str
    rejected: str
    used: str


def head() -> Head:
    """Return the words; needs a request, which the streaming of the file no longer has."""
    columns = (
        _("Row"), _("Surname"), _("Given name"), _("Agency"), _("Check"), _("Result"), _("Reason"),
        _("Serial number"), _("Link used"), _("Done at"),
    )  # fmt: skip
    return Head(columns, _("Accepted"), _("Rejected"), _("Yes"))


def lines(campaign_id: UUID, words_: Head) -> Iterator[Sequence[str]]:
    """Yield the cells of every row, in pieces of a transaction each: half a million rows hold no table for minutes."""
    last = 0
    while True:
        with transaction() as session:
            found = session.execute(_query(campaign_id, last)).all()
        for number, surname, given, code, state, reason, result, why, done_at, serial, link_serial, used_at in found:
            yield [
                str(number),
                harmless(surname or ""),
                harmless(given or ""),
                harmless(code or ""),
                words_.accepted if state == "accepted" else words_.rejected,
                str(words.RESULTS.get(result, "")),
                str(words.reason_word(reason or why)),
                (serial or link_serial or b"").hex(),
                words_.used if used_at else "",
                moment(done_at) if done_at else "",
            ]
        if len(found) < _PIECE:
            return
        last = found[-1][0]


def csv_lines(campaign_id: UUID, words_: Head) -> Iterator[str]:
    """Yield a CSV file in UTF-8 with the mark by which spreadsheet programs know it."""
    yield "\ufeff" + _line(words_.columns)
    for cells in lines(campaign_id, words_):
        yield _line(cells)


def xlsx(campaign_id: UUID, words_: Head) -> bytes:
    """Return a workbook; its cells are text, so nothing in it is worked out."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Ket qua")
    sheet.append(list(words_.columns))
    for cells in lines(campaign_id, words_):
        sheet.append(list(cells))
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def harmless(cell: str) -> str:
    """Return the cell with a quote before what a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _query(campaign_id: UUID, after: int) -> Select[*tuple[Any, ...]]:
    invited = CertificateRequest.__table__.alias("invited_request")
    by_link = Certificate.__table__.alias("by_link")
    return (
        select(
            Row.number, Row.surname, Row.given_name, Agency.code, Row.state, Row.reason, Outcome.result,
            Outcome.reason, Outcome.done_at, Certificate.serial, by_link.c.serial, Invitation.used_at,
        )
        .outerjoin(Agency, Agency.id == Row.agency_id)
        .outerjoin(Outcome, (Outcome.campaign_id == Row.campaign_id) & (Outcome.number == Row.number))
        .outerjoin(Certificate, Certificate.id == Outcome.certificate_id)
        .outerjoin(Invitation, (Invitation.campaign_id == Row.campaign_id) & (Invitation.row_number == Row.number))
        .outerjoin(invited, invited.c.id == Invitation.request_id)
        .outerjoin(by_link, by_link.c.id == invited.c.certificate_id)
        .where(Row.campaign_id == campaign_id, Row.number > after)
        .order_by(Row.number)
        .limit(_PIECE)
    )  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
