"""The visible mark: a one-page PDF of exact size with an embedded font, ready to become an appearance.

We write the text ourselves: pyHanko's text stamps come out wrong with Vietnamese (missing glyphs vanish in silence).
Every character is checked against the font before anything is drawn.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import pikepdf
from fontTools import subset
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name
from PIL import Image, UnidentifiedImageError

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

_FONTS: Final = Path(__file__).parent / "fonts"
# Action blue of the house, as PDF colour components.
_BLUE: Final = "0.1137 0.3059 0.5373"
_MAXIMUM_LINES: Final = 8
_MAXIMUM_LINE: Final = 120
_MAXIMUM_IMAGE: Final = 2 * 1024 * 1024
_MAXIMUM_PIXELS: Final = 4_000_000
_LARGEST_SIZE: Final = 11.0
_SMALLEST_SIZE: Final = 3.0
_LEADING: Final = 1.25
# Part of the height of an em box above the base line; Tinos has 0.891.
_ASCENT: Final = 0.9


@dataclass(frozen=True)
class Mark:
    """What a mark shows: lines from top to bottom, the first one small, the second one bold; and a picture or none."""

    lines: tuple[str, ...]
    # PNG, at most 2 MB; stands to the left of the text.
    image: bytes | None = None


@dataclass(frozen=True)
class Face:
    """One weight of the font: `glyphs` by character, `widths` in 1/1000 em by glyph name."""

    style: str
    data: bytes
    glyphs: dict[int, str]
    widths: dict[str, int]

    def width(self, text: str, size: float) -> float:
        return sum(self.widths[self.glyphs[ord(character)]] for character in text) * size / 1000


@cache
def face(style: str) -> Face:
    """Return the face `Regular` or `Bold` of the font that stands beside this module."""
    data = (_FONTS / f"Tinos-{style}.ttf").read_bytes()
    font = TTFont(BytesIO(data))
    # A font of 2048 units would be drawn twice as wide as meant; see scripts/fonts.
    assert font["head"].unitsPerEm == 1000
    widths = {name: font["hmtx"][name][0] for name in font.getGlyphOrder()}
    return Face(style, data, dict(font.getBestCmap()), widths)


def render(mark: Mark, *, width: float, height: float, rotation: int = 0, user_unit: float = 1.0) -> bytes:
    """Return a PDF of one page, `width` by `height` in user space units, that shows the mark.

    With `rotation` (0, 90, 180, 270: the turn of the page it will stand on) it is drawn turned against it, so that
    a reader sees it upright. Raises PdfRefused(MARK_UNREADABLE): a character that the font lacks, too much text for
    the size, a picture that is not a PNG.
    """
    lines = [unicodedata.normalize("NFC", line) for line in mark.lines]
    _check_text(lines)
    shown_width, shown_height = (height, width) if rotation in (90, 270) else (width, height)
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(width, height))
        fonts = {"F1": face("Regular"), "F2": face("Bold")}
        used = {key: _subset(shown, "".join(lines)) for key, shown in fonts.items()}
        resources = Dictionary(Font=Dictionary())
        for key, (data, glyph_ids) in used.items():
            resources.Font[Name("/" + key)] = _font_object(pdf, fonts[key], data, glyph_ids)
        picture = _picture(pdf, mark.image) if mark.image is not None else None
        operators = [_turn(rotation, width, height), _frame(shown_width, shown_height, user_unit)]
        text_left = 0.0
        if picture is not None:
            resources.XObject = Dictionary(Im1=picture)
            text_left, drawn = _draw_picture(picture, shown_width, shown_height)
            operators.append(drawn)
        operators.append(_text(lines, fonts, used, (text_left, shown_width, shown_height), user_unit))
        page.obj.Resources = resources
        page.obj.Contents = pdf.make_stream("\n".join(operators).encode("ascii"))
        output = BytesIO()
        # The same mark gives the same bytes.
        pdf.save(output, deterministic_id=True)
    return output.getvalue()


def _check_text(lines: list[str]) -> None:
    known = face("Regular").glyphs.keys() & face("Bold").glyphs.keys()
    fits = len(lines) <= _MAXIMUM_LINES and all(len(line) <= _MAXIMUM_LINE for line in lines)
    if not fits or any(ord(character) not in known for line in lines for character in line):
        raise PdfRefused(PdfFault.MARK_UNREADABLE)


def _subset(shown: Face, text: str) -> tuple[bytes, dict[str, int]]:
    """Return the font with only the glyphs of `text`, and glyph number by glyph name in it."""
    font = TTFont(BytesIO(shown.data), recalcTimestamp=False)
    chosen = subset.Subsetter(subset.Options(layout_features=[], hinting=False, notdef_outline=True))
    chosen.populate(text=text + " ")
    chosen.subset(font)
    output = BytesIO()
    font.save(output)
    return output.getvalue(), {name: number for number, name in enumerate(font.getGlyphOrder())}


def _font_object(pdf: pikepdf.Pdf, shown: Face, data: bytes, glyph_ids: dict[str, int]) -> pikepdf.Object:
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
    pairs = [(glyph_ids[glyph], code) for code, glyph in sorted(shown.glyphs.items()) if glyph in glyph_ids]
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


def _turn(rotation: int, width: float, height: float) -> str:
    matrix = {
        90: f"0 1 -1 0 {width:.3f} 0",
        180: f"-1 0 0 -1 {width:.3f} {height:.3f}",
        270: f"0 -1 1 0 0 {height:.3f}",
    }.get(rotation, "1 0 0 1 0 0")
    return f"{matrix} cm"


def _frame(width: float, height: float, user_unit: float) -> str:
    """A thin blue frame; the inside stays clear so that what is below remains readable."""
    line = 0.8 / user_unit
    return f"q {_BLUE} RG {line:.3f} w {line / 2:.3f} {line / 2:.3f} {width - line:.3f} {height - line:.3f} re S Q"


def _text(
    lines: list[str],
    fonts: dict[str, Face],
    used: dict[str, tuple[bytes, dict[str, int]]],
    area: tuple[float, float, float],
    user_unit: float,
) -> str:
    """Set the lines at the largest size that fits into left, right and height of `area`, centred in height."""
    left, right, height = area
    margin = min(4.0 / user_unit, height * 0.08)
    keys = ["F2" if number == 1 else "F1" for number in range(len(lines))]
    size = _fitting_size(lines, [fonts[key] for key in keys], right - left - 2 * margin, height - 2 * margin, user_unit)
    leading = size * _LEADING
    base = height / 2 + leading * len(lines) / 2 - size * _ASCENT - (leading - size) / 2
    parts = [f"q BT {_BLUE} rg"]
    for number, (key, line) in enumerate(zip(keys, lines, strict=True)):
        numbers = "".join(f"{used[key][1][fonts[key].glyphs[ord(character)]]:04X}" for character in line)
        parts.append(
            f"/{key} {size:.3f} Tf 1 0 0 1 {left + margin:.3f} {base - number * leading:.3f} Tm <{numbers}> Tj"
        )
    parts.append("ET Q")
    return "\n".join(parts)


def _fitting_size(lines: list[str], faces: list[Face], width: float, height: float, user_unit: float) -> float:
    size = min(_LARGEST_SIZE / user_unit, height / (len(lines) * _LEADING)) if lines else _LARGEST_SIZE
    widest = max((shown.width(line, 1.0) for shown, line in zip(faces, lines, strict=True)), default=0.0)
    if widest > 0:
        size = min(size, width / widest)
    if size * user_unit < _SMALLEST_SIZE:
        raise PdfRefused(PdfFault.MARK_UNREADABLE)
    return size


def _picture(pdf: pikepdf.Pdf, png: bytes) -> pikepdf.Stream:
    """Return an image object with its transparency as a soft mask."""
    if len(png) > _MAXIMUM_IMAGE:
        raise PdfRefused(PdfFault.MARK_UNREADABLE)
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as opened:
            if opened.width * opened.height > _MAXIMUM_PIXELS:
                raise PdfRefused(PdfFault.MARK_UNREADABLE)
            picture = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PdfRefused(PdfFault.MARK_UNREADABLE) from error
    size = {"Width": picture.width, "Height": picture.height, "BitsPerComponent": 8}
    mask = pdf.make_stream(picture.getchannel("A").tobytes(), Type=Name.XObject, Subtype=Name.Image,
                           ColorSpace=Name.DeviceGray, **size)  # fmt: skip
    return pdf.make_stream(picture.convert("RGB").tobytes(), Type=Name.XObject, Subtype=Name.Image,
                           ColorSpace=Name.DeviceRGB, SMask=mask, **size)  # fmt: skip


def _draw_picture(picture: pikepdf.Stream, width: float, height: float) -> tuple[float, str]:
    """Fit the picture into the left two fifths; return where the text may begin, and the operators."""
    margin = height * 0.08
    room_x, room_y = width * 0.4 - margin, height - 2 * margin
    scale = min(room_x / int(picture.Width), room_y / int(picture.Height))
    shown_width, shown_height = int(picture.Width) * scale, int(picture.Height) * scale
    bottom = (height - shown_height) / 2
    drawn = f"q {shown_width:.3f} 0 0 {shown_height:.3f} {margin:.3f} {bottom:.3f} cm /Im1 Do Q"
    return margin + shown_width, drawn
