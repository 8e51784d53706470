"""The blanks in the head of an official document: for its number after “Số:”, for day and month of its date.

Decree 30/2020, Annex I, II.3 and II.4. What is printed there already is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pki.layout.words import Line, Word
from pki.pades.placement import Rectangle

# The head stands in the upper part of the first page.
_HEAD: Final = 0.5
_NARROWEST_MM: Final = 3.0
# For number and symbol where nothing is printed behind “Số:”.
_LABEL_MM: Final = 45.0
_TALLEST_MM: Final = 7.0
# From the base line to the middle of a line of 13 points (pki.pades.plain_text).
_ABOVE_BASE_MM: Final = 0.4 * 13 * 25.4 / 72
_NUMBER: Final = re.compile(r"s[ốo]:?")
_DOTS: Final = re.compile(r"[.…_\s]*")


@dataclass(frozen=True)
class NumberBlank:
    """Where the number goes, in millimetres; `takes_symbol` if the symbol is not printed behind it."""

    box: Rectangle
    takes_symbol: bool


@dataclass(frozen=True)
class DateBlank:
    """Where day and month go: the whole, and left and right edge of either blank."""

    box: Rectangle
    day: tuple[float, float]
    month: tuple[float, float]


def number_blank(lines: Sequence[Line], page_height_mm: float) -> NumberBlank | None:
    """Return the blank for the number, None if there is none or a number is printed in it."""
    for line in lines:
        for at, word in enumerate(line.words):
            if not _NUMBER.fullmatch(word.folded) or word.box[1] < page_height_mm * _HEAD:
                continue
            following = [one for one in line.words[at + 1 :] if not _DOTS.fullmatch(one.text)]
            left = word.box[2] + 0.5
            if following and following[0].box[0] - left < _LABEL_MM:
                if not following[0].text.startswith("/"):
                    return None
                right, takes_symbol = following[0].box[0] - 0.3, False
            else:
                right, takes_symbol = left + _LABEL_MM, True
            return NumberBlank(_tall(word, left, right), takes_symbol) if right - left >= _NARROWEST_MM else None
    return None


def date_blank(lines: Sequence[Line], page_height_mm: float) -> DateBlank | None:
    """Return the blanks between “ngày”, “tháng” and “năm”, None if there are none or a date is printed in them."""
    for line in lines:
        if line.box[1] < page_height_mm * _HEAD:
            continue
        words = [one for one in line.words if not _DOTS.fullmatch(one.text)]
        for day, month, year in zip(words, words[1:], words[2:], strict=False):
            if (day.folded, month.folded, year.folded) != ("ngày", "tháng", "năm"):
                continue
            slots = ((day.box[2], month.box[0]), (month.box[2], year.box[0]))
            if all(right - left >= _NARROWEST_MM for left, right in slots):
                return DateBlank(_tall(year, slots[0][0], slots[1][1]), *slots)
    return None


def _tall(word: Word, left: float, right: float) -> Rectangle:
    """Return a box in whose middle a line of 13 points stands on the word's own base line; it has no tails below."""
    middle = word.box[1] + _ABOVE_BASE_MM
    return (left, middle - _TALLEST_MM / 2, right, middle + _TALLEST_MM / 2)
