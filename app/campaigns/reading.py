"""A campaign's file as records: which table it is, which columns it has, how many rows it may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from app.campaigns.columns import Column, column_of, missing, word_of
from app.campaigns.csv_table import CsvTable
from app.campaigns.file_faults import FileFault, FileRefused
from app.campaigns.models import Mode
from app.campaigns.xlsx_table import XlsxTable
from pki.profiles import ProfileName

MOST_ROWS: Final = 500_000
LARGEST_FILE: Final = 200 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
# Compound files: XLS, and workbooks behind a password.
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"


class Table(Protocol):
    def rows(self) -> Iterator[tuple[int, list[str]]]: ...

    def permille(self) -> int: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number (the first below the head is 1), and its cells, trimmed, without the empty ones."""

    number: int
    cells: Mapping[Column, str]
    # The row repeats the head, as files do that were put together from several.
    is_head: bool = False


@dataclass
class People:
    """The records of a file."""

    table: Table
    mode: Mode
    profile: ProfileName

    def records(self) -> Iterator[Record]:
        """Yield every row that is not blank. Raises FileRefused, for too many rows after the last that is allowed."""
        rows = self.table.rows()
        top, heads = next(rows, (0, []))
        columns = self._columns(heads)
        count = 0
        for number, cells in rows:
            count += 1
            if count > MOST_ROWS:
                raise FileRefused(FileFault.TOO_MANY_ROWS)
            found = {
                column: text
                for column, cell in zip(columns, cells, strict=False)
                if column is not None and (text := cell.strip())
            }
            is_head = sum(column_of(text) is column for column, text in found.items()) > len(found) // 2
            yield Record(number - top, found, is_head and bool(found))
        if count == 0:
            raise FileRefused(FileFault.EMPTY)

    def permille(self) -> int:
        return self.table.permille()

    def _columns(self, heads: list[str]) -> list[Column | None]:
        if not heads:
            raise FileRefused(FileFault.EMPTY)
        columns = [column_of(head) for head in heads]
        for column in Column:
            if columns.count(column) > 1:
                raise FileRefused(FileFault.COLUMN_TWICE, word_of(column))
        lacking = missing([column for column in columns if column is not None], self.mode, self.profile)
        if lacking:
            raise FileRefused(FileFault.COLUMN_MISSING, ", ".join(map(word_of, lacking)))
        return columns


@contextmanager
def open_people(path: Path, mode: Mode, profile: ProfileName) -> Iterator[People]:
    """Open a file by what it is, not by what it is called. Raises FileRefused."""
    table = _table(path)
    try:
        yield People(table, mode, profile)
    finally:
        table.close()


def _table(path: Path) -> Table:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError as error:
        raise FileRefused(FileFault.GONE) from error
    if not start:
        raise FileRefused(FileFault.EMPTY)
    if start == _COMPOUND:
        raise FileRefused(FileFault.OLD_WORKBOOK)
    return XlsxTable(path) if start == _ZIP else CsvTable(path)
