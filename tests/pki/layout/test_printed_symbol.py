"""The symbol that a paper prints behind its number is found, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from pki.layout.printed_symbol import printed_symbol
from pki.layout.words import Line, Word

HEIGHT = 297.0


def line(*texts: str, y: float = 250.0) -> Line:
    return Line(tuple(Word(text, (30.0 + 20 * at, y, 45.0 + 20 * at, y + 4)) for at, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("lines", "symbol"),
    [
        ([line("Số:", "/KH-SKHCN")], "KH-SKHCN"),
        ([line("SỞ", "KHOA"), line("Số:", "……", "/SKHCN-VP.")], "SKHCN-VP"),
        ([line("Số:")], None),
        ([line("Số:", "12/QĐ-UBND")], None),
        ([line("Số:", "/KH-SKHCN", y=100.0)], None),
        ([], None),
    ],
)
def test_the_symbol_is_what_stands_behind_the_stroke_in_the_head(lines: list[Line], symbol: str | None) -> None:
    assert printed_symbol(lines, HEIGHT) == symbol
