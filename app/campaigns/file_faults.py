"""Why a whole file is refused; a single bad row never is a reason."""

from __future__ import annotations

from enum import StrEnum


class FileFault(StrEnum):
    GONE = "gone"
    EMPTY = "empty"
    ENCODING = "encoding"
    NOT_A_TABLE = "not_a_table"
    OLD_WORKBOOK = "old_workbook"
    MACROS = "macros"
    DAMAGED_WORKBOOK = "damaged_workbook"
    UNPACKS_TOO_LARGE = "unpacks_too_large"
    FORBIDDEN_XML = "forbidden_xml"
    LINE_TOO_LONG = "line_too_long"
    COLUMN_TWICE = "column_twice"
    COLUMN_MISSING = "column_missing"
    TOO_MANY_ROWS = "too_many_rows"


class FileRefused(Exception):
    """The file cannot be read as a list of people; `detail` names a column where one is meant."""

    def __init__(self, fault: FileFault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail

    @property
    def code(self) -> str:
        """What stands in the campaign: the fault and its detail."""
        return f"{self.fault}:{self.detail}" if self.detail else self.fault.value
