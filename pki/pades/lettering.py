"""Vietnamese text in a PDF: the faces of Tinos, cut down to what is shown and embedded (ISO 32000-1, 9.7)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import pikepdf
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name

from pki.pades.truetype import TrueType

# Tinos, regular and bold, with its licence.
FONTS: Final = Path(__file__).parent / "fonts"


@dataclass(frozen=True)
class Face:
    """One weight of the font: `glyphs` by character, `widths` in 1/1000 em by glyph name."""

    style: str
    font: TrueType
    # Names of glyphs by number, and the other way.
    order: tuple[str, ...]
    numbers: dict[str, int]
    glyphs: dict[int, str]
    widths: dict[str, int]

    def width(self, text: str, size: float) -> float:
        return sum(self.widths[self.glyphs[ord(character)]] for character in text) * size / 1000


@cache
def face(style: str) -> Face:
    """Return the face `Regular` or `Bold` of the font that stands beside this module."""
    data = (FONTS / f"Tinos-{style}.ttf").read_bytes()
    font = TTFont(BytesIO(data))
    # A font of 2048 units would be drawn twice as wide as meant; see scripts/fonts.
    assert font["head"].unitsPerEm == 1000
    order = tuple(font.getGlyphOrder())
    numbers = {name: number for number, name in enumerate(order)}
    widths = {name: font["hmtx"][name][0] for name in order}
    return Face(style, TrueType(data), order, numbers, dict(font.getBestCmap()), widths)


def subset_of(shown: Face, text: str) -> tuple[bytes, dict[str, int]]:
    """Return the font with only the glyphs of `text`, and glyph number by glyph name in it."""
    data, numbers = shown.font.subset(shown.numbers[shown.glyphs[ord(character)]] for character in text)
    return data, {shown.order[old]: new for old, new in numbers.items()}


def font_object(pdf: pikepdf.Pdf, shown: Face, data: bytes, glyph_ids: dict[str, int]) -> pikepdf.Object:
    """Return a Type0 font with Identity-H (ISO 32000-1, 9.7), its widths, and the way back to text."""
    name = Name(f"/KYVAOA+Tinos-{shown.style}")
    file = pdf.make_stream(data)
    file.Length1 = len(data)
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=name, Flags=4, FontBBox=[-560, -303, 1489, 981], ItalicAngle=0,
        Ascent=891, Descent=-216, CapHeight=662, StemV=80 if shown.style == "Regular" else 140, FontFile2=file,
    )  # fmt: skip
    widths = Array([0, Array([shown.widths[glyph] for glyph in sorted(glyph_ids, key=glyph_ids.__getitem__)])])
    descendant = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=name, CIDToGIDMap=Name.Identity, DW=1000, W=widths,
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        FontDescriptor=pdf.make_indirect(descriptor),
    )  # fmt: skip
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=[pdf.make_indirect(descendant)],
            ToUnicode=pdf.make_stream(_to_unicode(shown, glyph_ids)),
        )
    )


def _to_unicode(shown: Face, glyph_ids: dict[str, int]) -> bytes:
    # The first character of those that share a glyph: a hyphen is not read as a soft one.
    codes = {glyph: code for code, glyph in sorted(shown.glyphs.items(), reverse=True) if glyph in glyph_ids}
    pairs = sorted((glyph_ids[glyph], code) for glyph, code in codes.items())
    blocks = []
    for start in range(0, len(pairs), 100):
        part = pairs[start : start + 100]
        body = "\n".join(f"<{number:04X}> <{code:04X}>" for number, code in part)
        blocks.append(f"{len(part)} beginbfchar\n{body}\nendbfchar")
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CMapType 2 def /CMapName /Adobe-Identity-UCS def\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        + "\n".join(blocks)
        + "\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode("ascii")
