"""The first sheet of an XLSX workbook as rows of text, read as a stream (ECMA-376, part 1, 18.3 and 18.4).

Neither of the libraries does: one holds the whole sheet, the other all shared strings, and a file of half a million
requests has hundreds of megabytes of them. Here shared strings lie in a temporary file. Formulas are never worked out:
the value that the spreadsheet program stored is read. A document type is refused, and with it every entity.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from xml.parsers import expat

from app.campaigns.file_faults import FileFault, FileRefused

_CHUNK: Final = 64 * 1024
_LARGEST_PART: Final = 1536 * 1024 * 1024
_LARGEST_SMALL_PART: Final = 8 * 1024 * 1024
# Sheets of real lists pack 5 to 30 times; only a bomb packs 200 times.
_HARDEST_PACKED: Final = 200
_MOST_PARTS: Final = 2_000
_MOST_COLUMNS: Final = 100
_LONGEST_CELL: Final = 64 * 1024
_LETTERS: Final = re.compile(r"[A-Z]{1,3}")


class XlsxTable:
    """Rows with their numbers as the spreadsheet program shows them."""

    def __init__(self, file: Path | IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError) as error:
            raise FileRefused(FileFault.DAMAGED_WORKBOOK) from error
        self._parts = {info.filename.lstrip("/"): info for info in self._zip.infolist()}
        self._read = 0
        self._size = 1
        self._check_parts()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number and cells of every row that is not blank. Raises FileRefused."""
        sheet = self._first_sheet()
        strings = self._part("xl/sharedStrings.xml")
        self._size = max(1, sum(self._parts[name].file_size for name in (sheet, strings) if name is not None))
        with _Strings() as kept:
            if strings is not None:
                for _ in self._parse(strings, _StringReader(kept)):
                    pass
                kept.finish()
            reader = _SheetReader(kept)
            for _ in self._parse(sheet, reader):
                yield from reader.take()
            yield from reader.take()

    def permille(self) -> int:
        """Return how much of the unpacked sheet has been read, in thousandths."""
        return min(1000, self._read * 1000 // self._size)

    def close(self) -> None:
        self._zip.close()

    def _check_parts(self) -> None:
        if len(self._parts) > _MOST_PARTS or "xl/workbook.xml" not in self._parts:
            raise FileRefused(FileFault.DAMAGED_WORKBOOK)
        if any(name.lower().endswith(("vbaproject.bin", "macrosheets/sheet1.xml")) for name in self._parts):
            raise FileRefused(FileFault.MACROS)
        for info in self._parts.values():
            if info.flag_bits & 1:
                raise FileRefused(FileFault.DAMAGED_WORKBOOK)
            if info.file_size > _LARGEST_PART or (
                info.file_size > _LARGEST_SMALL_PART and info.file_size > _HARDEST_PACKED * max(1, info.compress_size)
            ):
                raise FileRefused(FileFault.UNPACKS_TOO_LARGE)

    def _part(self, name: str) -> str | None:
        return next((found for found in self._parts if found.lower() == name.lower()), None)

    def _first_sheet(self) -> str:
        names = _Relations()
        for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
            found = self._part(part)
            if found is None or self._parts[found].file_size > _LARGEST_SMALL_PART:
                raise FileRefused(FileFault.DAMAGED_WORKBOOK)
            for _ in self._parse(found, names):
                pass
        self._read = 0
        target = names.targets.get(names.first, "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        sheet = self._part(path)
        if sheet is None:
            raise FileRefused(FileFault.DAMAGED_WORKBOOK)
        return sheet

    def _parse(self, part: str, reader: _Reader) -> Iterator[None]:
        """Feed a part to `reader` and yield after each piece of it."""
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.text
        try:
            # zipfile stops at the size that was declared, and that size was checked.
            with self._zip.open(self._parts[part]) as stream:
                while piece := stream.read(_CHUNK):
                    self._read += len(piece)
                    parser.Parse(piece, False)
                    yield
            parser.Parse(b"", True)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise FileRefused(FileFault.DAMAGED_WORKBOOK) from error


def _refuse(*_: object) -> None:
    raise FileRefused(FileFault.FORBIDDEN_XML)


class _Reader:
    """Takes the events of a parser."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; `name` is its namespace, a closing brace, and its local name."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Characters between tags."""


class _Relations(_Reader):
    """Finds the first sheet that is not hidden, and where the parts of the workbook lie."""

    def __init__(self) -> None:
        self.first = ""
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition("}")[2]
        if local == "sheet" and not self.first and attributes.get("state", "visible") == "visible":
            self.first = next((value for key, value in attributes.items() if key.endswith("relationships}id")), "")
        if local == "Relationship" and attributes.get("TargetMode") != "External":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Strings:
    """Shared strings in a temporary file, found by their number."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  closed by __exit__
        self._ends = array("Q", [0])

    def __enter__(self) -> _Strings:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def finish(self) -> None:
        self._file.flush()

    def get(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise FileRefused(FileFault.DAMAGED_WORKBOOK)
        begin, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - begin, begin).decode("utf-8", "replace")


class _StringReader(_Reader):
    def __init__(self, kept: _Strings) -> None:
        self._kept = kept
        self._parts: list[str] = []
        self._in_text = self._phonetic = False
        self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition("}")[2]
        if local == "si":
            self._parts, self._length = [], 0
        elif local == "rPh":
            self._phonetic = True
        elif local == "t":
            self._in_text = not self._phonetic

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        if local == "t":
            self._in_text = False
        elif local == "rPh":
            self._phonetic = False
        elif local == "si":
            self._kept.add("".join(self._parts))

    def text(self, data: str) -> None:
        if self._in_text:
            self._length += len(data)
            if self._length > _LONGEST_CELL:
                raise FileRefused(FileFault.LINE_TOO_LONG)
            self._parts.append(data)


class _SheetReader(_Reader):
    def __init__(self, kept: _Strings) -> None:
        self._kept = kept
        self._done: list[tuple[int, list[str]]] = []
        self._number = 0
        self._cells: list[str] = []
        self._at = 0
        self._kind = ""
        self._value: list[str] = []
        self._length = 0
        self._wanted = False

    def take(self) -> list[tuple[int, list[str]]]:
        """Return the rows that are complete."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name.endswith("}c"):
            self._begin_cell(attributes)
        elif name.endswith(("}v", "}t")):
            self._wanted = True
        elif name.endswith("}row"):
            self._number = _row_number(attributes.get("r"), self._number)
            self._cells = []

    def end(self, name: str) -> None:
        if name.endswith(("}v", "}t")):
            self._wanted = False
        elif name.endswith("}c"):
            self._cells.extend([""] * (self._at - len(self._cells)))
            self._cells.append(self._cell())
        elif name.endswith("}row") and any(self._cells):
            self._done.append((self._number, self._cells))

    def text(self, data: str) -> None:
        if self._wanted:
            self._length += len(data)
            if self._length > _LONGEST_CELL:
                raise FileRefused(FileFault.LINE_TOO_LONG)
            self._value.append(data)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._kind = attributes.get("t", "n")
        self._value, self._length = [], 0
        at = _column_number(attributes.get("r", ""), len(self._cells))
        if at >= _MOST_COLUMNS or at < len(self._cells):
            raise FileRefused(FileFault.DAMAGED_WORKBOOK)
        self._at = at

    def _cell(self) -> str:
        value = "".join(self._value)
        if not value or self._kind == "e":
            return ""
        if self._kind == "s":
            return self._kept.get(int(value))
        return _whole(value) if self._kind == "n" else value


def _row_number(text: str | None, before: int) -> int:
    number = int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else before + 1
    if number <= before:
        raise FileRefused(FileFault.DAMAGED_WORKBOOK)
    return number


def _column_number(reference: str, otherwise: int) -> int:
    letters = _LETTERS.match(reference)
    if letters is None:
        return otherwise
    number = 0
    for letter in letters.group():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _whole(value: str) -> str:
    """Return a whole number without a point or an exponent, anything else as it stands."""
    if value.isdigit() or len(value) > 40:
        return value
    try:
        number = Decimal(value)
        return str(int(number)) if number == number.to_integral_value() and abs(number) < 10**15 else value
    except (InvalidOperation, OverflowError):
        return value
