"""The columns of a campaign's file: what they are called in Vietnamese and English, which a mode needs, templates."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from app.campaigns.models import Mode
from app.registry.search import fold
from pki.profiles import ProfileName


class Column(StrEnum):
    NUMBER = "number"
    SURNAME = "surname"
    GIVEN_NAME = "given_name"
    # Both in one cell; the last word is the given name.
    FULL_NAME = "full_name"
    BORN = "born"
    EMAIL = "email"
    AGENCY = "agency"
    TITLE = "title"
    CONSENT = "consent"
    CSR = "csr"
    KEY = "key"


# Heads without marks and in lower case; the first of each is the one in the template.
_HEADS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.NUMBER: ("Số CCCD", "Số căn cước", "Số định danh cá nhân", "CCCD", "Citizen number", "Number"),
    Column.SURNAME: ("Họ và tên đệm", "Họ đệm", "Họ", "Họ và chữ đệm", "Surname", "Family name"),
    Column.GIVEN_NAME: ("Tên", "Given name", "First name"),
    Column.FULL_NAME: ("Họ và tên", "Họ tên", "Full name", "Name"),
    Column.BORN: ("Ngày sinh", "Date of birth", "Birth date"),
    Column.EMAIL: ("E-mail", "Email", "Thư điện tử", "Địa chỉ thư điện tử"),
    Column.AGENCY: ("Mã đơn vị", "Mã phường", "Mã phường/xã", "Mã cơ quan", "Agency code", "Ward code", "Agency"),
    Column.TITLE: ("Chức vụ", "Chức danh", "Title", "Post"),
    Column.CONSENT: ("Đồng ý", "Chấp thuận", "Consent"),
    Column.CSR: ("CSR", "Yêu cầu cấp chứng thư", "Certification request"),
    Column.KEY: ("Khoá công khai", "Khóa công khai", "Public key"),
}
_NAMES: Final = {fold(head): column for column, heads in _HEADS.items() for head in heads}


def column_of(head: str) -> Column | None:
    """Return the column that a head names, with or without marks; None for one that we do not read."""
    return _NAMES.get(fold(head.strip().rstrip("*:").strip()))


def word_of(column: Column) -> str:
    """Return how the template names a column."""
    return _HEADS[column][0]


def missing(found: Sequence[Column], mode: Mode, profile: ProfileName) -> list[Column]:
    """Return the columns that a file of this mode and profile lacks."""
    has = set(found)
    needed = [Column.NUMBER, Column.AGENCY, Column.CONSENT]
    if Column.FULL_NAME not in has:
        needed += [Column.SURNAME, Column.GIVEN_NAME]
    if profile is ProfileName.OFFICIAL_SIGNING:
        needed.append(Column.TITLE)
    if mode is Mode.ISSUE and Column.KEY not in has:
        needed.append(Column.CSR)
    return [column for column in needed if column not in has]


def template_columns(mode: Mode) -> tuple[Column, ...]:
    """Return the columns of an empty file, in order."""
    people = (Column.NUMBER, Column.SURNAME, Column.GIVEN_NAME, Column.BORN, Column.EMAIL, Column.AGENCY, Column.TITLE)
    return (*people, Column.CONSENT) + ((Column.CSR,) if mode is Mode.ISSUE else ())


_EXAMPLE: Final = {
    Column.NUMBER: "079090001234",
    Column.SURNAME: "Nguyễn Thị",
    Column.GIVEN_NAME: "Lan",
    Column.BORN: "01/01/1990",
    Column.EMAIL: "lan@example.vn",
    Column.AGENCY: "H99.03",
    Column.CONSENT: "có",
}


def csv_template(mode: Mode) -> bytes:
    """Return an empty file with one example, as spreadsheet programs in Vietnam open it."""
    columns = template_columns(mode)
    lines = (",".join(map(word_of, columns)), ",".join(_EXAMPLE.get(column, "") for column in columns))
    return ("\ufeff" + "".join(f"{line}\r\n" for line in lines)).encode()


def xlsx_template(mode: Mode) -> bytes:
    """Return the same as a workbook whose cells are text, so that no leading zero is lost."""
    columns = template_columns(mode)
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Danh sách"
    sheet.append([word_of(column) for column in columns])
    sheet.append([_EXAMPLE.get(column, "") for column in columns])
    for number in range(1, len(columns) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = 22
        for row in range(1, 501):
            sheet.cell(row, number).number_format = "@"
    sheet.freeze_panes = "A2"
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()
