"""Upright text as it stands in the head of a document or in the middle of a seal: no frame, one size, black or red."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name

from pki.errors import PdfRefused
from pki.pades.drawn import Drawn
from pki.pades.faults import PdfFault
from pki.pades.lettering import Face, face, font_object, subset_of

_LEADING: Final = 1.2
# Part of the height of an em box above the base line; Tinos has 0.891.
_ASCENT: Final = 0.9
# In points on paper; below it nobody can read it.
_SMALLEST: Final = 5.0


class Ink(StrEnum):
    """Colours as PDF operands (ISO 32000-1, 8.6.4.3)."""

    BLACK = "0 0 0"
    # The seal's red, as in our pages.
    RED = "0.702 0.149 0.118"


@dataclass(frozen=True)
class PlainText(Drawn):
    """Lines from top to bottom at `size_pt`, or as much smaller as the box asks for; in the middle of its height."""

    lines: tuple[str, ...]
    size_pt: float = 13.0
    ink: Ink = Ink.BLACK
    bold: bool = False
    centred: bool = False

    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        """Set the lines. See `Drawn`; text that would be under 5 points is unreadable too."""
        lines = [unicodedata.normalize("NFC", line) for line in self.lines]
        shown = face("Bold" if self.bold else "Regular")
        if any(ord(character) not in shown.glyphs for line in lines for character in line):
            raise PdfRefused(PdfFault.MARK_UNREADABLE)
        area = (height, width) if rotation in (90, 270) else (width, height)
        size = self._size(shown, lines, area, user_unit)
        data, glyph_ids = subset_of(shown, "".join(lines))
        numbers = ["".join(f"{glyph_ids[shown.glyphs[ord(one)]]:04X}" for one in line) for line in lines]
        base = area[1] / 2 + size * _LEADING * len(lines) / 2 - size * _ASCENT - size * (_LEADING - 1) / 2
        operators = [f"{_turn(rotation, width, height)} cm BT {self.ink} rg /F1 {size:.3f} Tf"]
        for row, (line, digits) in enumerate(zip(lines, numbers, strict=True)):
            left = (area[0] - shown.width(line, size)) / 2 if self.centred else 0.0
            operators.append(f"1 0 0 1 {left:.3f} {base - row * size * _LEADING:.3f} Tm <{digits}> Tj")
        page = pdf.add_blank_page(page_size=(width, height))
        page.obj.Resources = Dictionary(Font=Dictionary())
        page.obj.Resources.Font[Name("/F1")] = font_object(pdf, shown, data, glyph_ids)
        page.obj.Contents = pdf.make_stream("\n".join([*operators, "ET"]).encode("ascii"))

    def _size(self, shown: Face, lines: list[str], area: tuple[float, float], user_unit: float) -> float:
        widest = max((shown.width(line, 1.0) for line in lines), default=0.0)
        sizes = [self.size_pt / user_unit, area[1] / (_LEADING * max(1, len(lines)))]
        if widest > 0:
            sizes.append(area[0] / widest)
        if min(sizes) * user_unit < _SMALLEST:
            raise PdfRefused(PdfFault.MARK_UNREADABLE)
        return min(sizes)


def _turn(rotation: int, width: float, height: float) -> str:
    return {
        90: f"0 1 -1 0 {width:.3f} 0",
        180: f"-1 0 0 -1 {width:.3f} {height:.3f}",
        270: f"0 -1 1 0 0 {height:.3f}",
    }.get(rotation, "1 0 0 1 0 0")
