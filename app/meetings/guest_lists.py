"""Lists of guests as files: read as CSV or XLSX, row by row with what is wrong, and written as both."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlalchemy.orm import Session

from app.campaigns import words
from app.campaigns.file_faults import FileRefused
from app.campaigns.xlsx_table import XlsxTable
from app.core.errors import Invalid, Sentence
from app.core.permissions import Actor
from app.meetings import guests, service
from app.meetings.entered import one_line
from app.meetings.guests import NewGuest
from app.meetings.models import Guest

MAXIMUM_ROWS: Final = 5_000
MAXIMUM_BYTES: Final = 1024 * 1024
COLUMNS: Final = ("name", "email", "organisation", "title", "seat", "needs")
# Heads that people write in their files, folded to ours.
_HEADS: Final = {
    "name": "name", "họ tên": "name", "họ và tên": "name", "tên": "name",
    "email": "email", "e-mail": "email", "thư điện tử": "email",
    "organisation": "organisation", "organization": "organisation", "cơ quan": "organisation", "đơn vị": "organisation",
    "title": "title", "chức danh": "title", "chức vụ": "title",
    "seat": "seat", "chỗ ngồi": "seat",
    "needs": "needs", "cần hỗ trợ": "needs",
}  # fmt: skip
# As our own files name them, in the order of COLUMNS.
_COLUMN_HEADS: Final = ("Họ tên", "E-mail", "Cơ quan", "Chức danh", "Chỗ ngồi", "Cần hỗ trợ")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class Row:
    """One row of a file: the guest, or what is wrong with it."""

    number: int
    text: tuple[str, ...]
    guest: NewGuest | None
    problem: Sentence | None


@dataclass(frozen=True)
class DryRun:
    """What a file would do."""

    rows: Sequence[Row] = field(default_factory=list)

    @property
    def guests(self) -> list[NewGuest]:
        return [row.guest for row in self.rows if row.guest is not None]

    @property
    def problems(self) -> list[Row]:
        return [row for row in self.rows if row.problem is not None]


def dry_run(session: Session, actor: Actor, meeting_id: UUID, content: bytes) -> DryRun:
    """Read a file of guests and say, row by row, what would be added and what is wrong; changes nothing.

    An XLSX workbook (its first sheet), or CSV in UTF-8 with commas or semicolons; a head row, at most 5,000 rows.
    Raises Invalid if it is no such file.
    """
    meeting = service.open_for_change(session, actor, meeting_id)
    known = guests.addresses(session, meeting)
    rows: list[Row] = []
    for number, record in _records(content):
        text = tuple(record.get(column, "") for column in COLUMNS)
        try:
            guest = guests.read(*text)
            if guest.email.lower() in known:
                raise Invalid(_l("This e-mail address is on the list already, or twice in the file."))
        except Invalid as error:
            rows.append(Row(number, text, None, error.sentence))
            continue
        known.add(guest.email.lower())
        rows.append(Row(number, text, guest, None))
    return DryRun(rows)


def template() -> bytes:
    """Return a workbook to fill in."""
    return _workbook([("Nguyễn Văn A", "a@example.vn", "Công ty A", "Giám đốc", "A12", "")])


def export(found: Sequence[Guest]) -> bytes:
    """Return the list as CSV; a cell that a spreadsheet would run as a formula is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMN_HEADS)
    for guest in found:
        writer.writerow([_harmless(getattr(guest, column)) for column in COLUMNS])
    return f"\ufeff{buffer.getvalue()}".encode()


def export_xlsx(found: Sequence[Guest]) -> bytes:
    """Return the list as a workbook; no cell is a formula."""
    return _workbook([tuple(getattr(guest, column) for column in COLUMNS) for guest in found])


def _records(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return number and cells by column of each row that is not blank. Raises Invalid."""
    if len(content) > MAXIMUM_BYTES:
        raise Invalid(_l("The file is over 1 MB."), _l("Split it into smaller files."))
    rows = _sheet(content) if content.startswith(_ZIP) else _table(content)
    _, names = next(rows, (0, []))
    heads = [_HEADS.get(one_line(name).lower()) for name in names]
    if "name" not in heads or "email" not in heads:
        raise Invalid(
            _l("The first row must name the columns “Họ tên” and “E-mail”."), _l("Use the template of this page.")
        )
    body = list(islice(rows, MAXIMUM_ROWS + 1))
    if len(body) > MAXIMUM_ROWS:
        raise Invalid(_l("The file has over 5,000 rows."), _l("Split it into smaller files."))
    return [
        (number, {head: cell for head, cell in zip(heads, row, strict=False) if head is not None})
        for number, row in body
    ]


def _sheet(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        table = XlsxTable(io.BytesIO(content))
        try:
            yield from ((number, row) for number, row in table.rows() if any(cell.strip() for cell in row))
        finally:
            table.close()
    except FileRefused as error:
        sentence, _ = words.failure_words(error.code)
        raise Invalid(sentence) from error


def _table(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            _l("The file is neither an XLSX workbook nor CSV in UTF-8."), _l("Save it as XLSX, or as “CSV UTF-8”.")
        ) from error
    if "\x00" in text:
        raise Invalid(_l("The file is neither an XLSX workbook nor CSV in UTF-8."))
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            if any(cell.strip() for cell in row):
                yield number, row
    except csv.Error as error:
        raise Invalid(_l("The file could not be read as a table."), _l("Save it as CSV again.")) from error


def _workbook(rows: Iterable[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Khách mời")
    for row in (_COLUMN_HEADS, *rows):
        cells = [WriteOnlyCell(sheet, text) for text in row]
        for cell in cells:
            # Text that begins with “=” would be a formula.
            cell.data_type = "s"
        sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
