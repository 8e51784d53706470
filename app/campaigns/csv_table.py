"""A CSV file as rows of text, read as a stream: UTF-8 with or without a mark, UTF-16 as Excel writes it."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from app.campaigns.file_faults import FileFault, FileRefused

LONGEST_LINE: Final = 256 * 1024
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS: Final = ";,\t"


class CsvTable:
    """Rows with their numbers; the first line of the file is number 1."""

    def __init__(self, path: Path) -> None:
        self._size = max(1, path.stat().st_size)
        self._raw = path.open("rb")
        start = self._raw.read(4)
        self._raw.seek(0)
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        self._text = TextIOWrapper(self._raw, encoding=encoding, errors="strict", newline="")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number and cells of every row that is not blank. Raises FileRefused."""
        try:
            lines = self._lines()
            first = next(lines, "")
            delimiter = max(_DELIMITERS, key=first.count)
            reader = csv.reader(_with_first(first, lines), delimiter=delimiter, strict=True)
            for number, cells in enumerate(reader, start=1):
                if any(cells):
                    yield number, cells
        except UnicodeError as error:
            raise FileRefused(FileFault.ENCODING) from error
        except csv.Error as error:
            raise FileRefused(FileFault.NOT_A_TABLE) from error

    def permille(self) -> int:
        """Return how much of the file has been read, in thousandths."""
        return min(1000, self._raw.tell() * 1000 // self._size)

    def close(self) -> None:
        self._text.close()

    def _lines(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise FileRefused(FileFault.LINE_TOO_LONG)
            if "\0" in line:
                raise FileRefused(FileFault.ENCODING)
            yield line


def _with_first(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
