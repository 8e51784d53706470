"""The words of a page and where they stand, in millimetres from the lower left corner of the page as it is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

import pypdfium2

from pki.pades.placement import POINTS_PER_MM, PageGeometry, Rectangle

# Letters closer than this part of their line's height belong to one word.
_GAP: Final = 0.22
# Commas and semicolons' tails are less high than this part of a letter.
_HANGING: Final = 0.5
_MOST_LETTERS: Final = 20_000


@dataclass(frozen=True)
class Word:
    """Letters without a space between them; `box` is left, bottom, right, top."""

    text: str
    box: Rectangle

    @property
    def folded(self) -> str:
        """The word in NFC and small letters, for comparison."""
        return unicodedata.normalize("NFC", self.text).casefold()


@dataclass(frozen=True)
class Line:
    """Words that stand side by side, from left to right."""

    words: tuple[Word, ...]

    @property
    def box(self) -> Rectangle:
        return around([word.box for word in self.words])

    def parts(self, gap_mm: float) -> Iterator[Line]:
        """Yield what stands between gaps wider than that, from left to right: the line's share of each column."""
        begins = 0
        for at in range(1, len(self.words) + 1):
            if at == len(self.words) or self.words[at].box[0] - self.words[at - 1].box[2] > gap_mm:
                yield Line(self.words[begins:at])
                begins = at


def around(boxes: Sequence[Rectangle]) -> Rectangle:
    """Return the smallest rectangle that holds all of them."""
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def lines_of(pdf: IO[bytes], page: int, geometry: PageGeometry) -> list[Line]:
    """Return the lines of a page (from 1), from above to below. Raises what pdfium raises for a broken file."""
    pdf.seek(0)
    with pypdfium2.PdfDocument(pdf) as document:
        text = document[page - 1].get_textpage()
        letters: list[tuple[str, Rectangle]] = []
        for number in range(min(text.count_chars(), _MOST_LETTERS)):
            letter = text.get_text_range(number, 1)
            if letters and letter and unicodedata.combining(letter[0]):
                # A mark that is drawn by itself belongs to the letter before it, and its box to no line.
                letters[-1] = (letters[-1][0] + letter, letters[-1][1])
            elif letter.strip():
                letters.append((letter, as_shown(text.get_charbox(number), geometry)))
    return [Line(tuple(_words(row))) for row in _rows(letters)]


def as_shown(box: Rectangle, geometry: PageGeometry) -> Rectangle:
    """Return a rectangle of user space in millimetres from the lower left corner of the page as it is shown."""
    x0, y0, x1, y1 = geometry.box
    left, bottom, right, top = box
    turned = {
        90: (bottom - y0, x1 - right, top - y0, x1 - left),
        180: (x1 - right, y1 - top, x1 - left, y1 - bottom),
        270: (y1 - top, left - x0, y1 - bottom, right - x0),
    }.get(geometry.rotation, (left - x0, bottom - y0, right - x0, top - y0))
    unit = geometry.user_unit / POINTS_PER_MM
    return (turned[0] * unit, turned[1] * unit, turned[2] * unit, turned[3] * unit)


def _rows(letters: list[tuple[str, Rectangle]]) -> Iterator[list[tuple[str, Rectangle]]]:
    """Yield letters of one line together: those whose middles lie within one another's height."""
    row: list[tuple[str, Rectangle]] = []
    for letter in sorted(letters, key=lambda one: -(one[1][1] + one[1][3])):
        if row and _is_below(letter[1], row[0][1]):
            yield sorted(row, key=lambda one: one[1][0])
            row = []
        row.append(letter)
    if row:
        yield sorted(row, key=lambda one: one[1][0])


def _is_below(box: Rectangle, first: Rectangle) -> bool:
    """Say whether a letter belongs to a line below that of `first`; a comma hangs below its own line's base."""
    hangs = box[3] > first[1] and box[3] - box[1] < _HANGING * (first[3] - first[1])
    return _middle(box) < first[1] and box[3] < _middle(first) and not hangs


def _middle(box: Rectangle) -> float:
    return (box[1] + box[3]) / 2


def _words(row: Sequence[tuple[str, Rectangle]]) -> Iterator[Word]:
    height = max(box[3] - box[1] for _, box in row)
    run = [row[0]]
    for one in row[1:]:
        if one[1][0] - run[-1][1][2] > _GAP * height:
            yield _word(run)
            run = []
        run.append(one)
    yield _word(run)


def _word(run: Sequence[tuple[str, Rectangle]]) -> Word:
    text = unicodedata.normalize("NFC", "".join(letter for letter, _ in run))
    return Word(text, around([box for _, box in run]))
