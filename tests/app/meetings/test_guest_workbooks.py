"""Guests from XLSX workbooks as spreadsheet programs write them, and the list as one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from uuid import UUID

import openpyxl
import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from app.core import db
from app.core.errors import Invalid
from app.core.settings import Settings
from app.meetings import guest_lists
from app.meetings.guest_lists import DryRun
from app.meetings.guests import NewGuest
from tests.factories import meetings as made
from tests.factories.certificates import actor

SignIn = Callable[[str], FlaskClient]
HEAD = ("Họ tên", "E-mail", "Đơn vị", "Chỗ ngồi")


def workbook(rows: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def try_file(meeting_id: UUID, content: bytes) -> DryRun:
    with db.transaction() as session:
        return guest_lists.dry_run(session, actor("minh"), meeting_id, content)


def test_a_workbook_is_read_row_by_row(city: Settings) -> None:
    rows = [HEAD, ("Lê Chi", "chi@example.vn", "Công ty A", 12), (), (None, "ai@example.vn"), ("Lê Tư", "tu@", "", "")]
    run = try_file(made.call(), workbook(rows))
    assert run.guests == [NewGuest("Lê Chi", "chi@example.vn", "Công ty A", seat="12")]
    assert [row.number for row in run.problems] == [4, 5]


def test_a_formula_is_never_worked_out(city: Settings) -> None:
    run = try_file(made.call(), workbook([HEAD, ('=CONCAT("Lê"," Chi")', "chi@example.vn", "", "")]))
    assert run.guests == []


def test_more_than_five_thousand_rows_are_refused(city: Settings) -> None:
    meeting_id = made.call()
    rows = [(f"Khách {number}", f"k{number}@example.vn", "", "") for number in range(5_001)]
    assert len(try_file(meeting_id, workbook([HEAD, *rows[:5_000]])).guests) == 5_000
    with pytest.raises(Invalid, match="5,000"):
        try_file(meeting_id, workbook([HEAD, *rows]))


def bomb() -> bytes:
    """A workbook whose sheet is a hundred megabytes of nothing."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([HEAD]))) as good,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for name in good.namelist():
            bad.writestr(name, b" " * 100_000_000 if name == "xl/worksheets/sheet1.xml" else good.read(name))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04 no archive", bomb(), workbook([("Họ tên", "Điện thoại"), ("Lê Chi", "1")]), workbook([])],
    ids=["damaged", "bomb", "columns", "empty"],
)
def test_what_is_no_list_is_refused(city: Settings, content: bytes) -> None:
    meeting_id = made.call()
    with pytest.raises(Invalid):
        try_file(meeting_id, content)


def test_the_list_as_a_workbook_holds_text_alone_and_is_taken_back(city: Settings, sign_in: SignIn) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    made.add(
        meeting_id, NewGuest('=HYPERLINK("http://x","y")', "a@example.vn", "Công ty A", "Giám đốc", "A1", "xe lăn")
    )
    answer = client.get(f"/meetings/{meeting_id}/guests.xlsx")
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert [cell.data_type for cell in sheet[2]] == ["s"] * 6
    assert CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()[1][0] == (
        '=HYPERLINK("http://x","y")'
    )
    assert len(try_file(made.call(made.plan(room="Phòng 302")), answer.data).guests) == 1
    assert sign_in("bao").get(f"/meetings/{meeting_id}/guests.xlsx").status_code == 403
