"""The visible mark: a one-page PDF of exact size with an embedded font, ready to become an appearance.

We write the text ourselves: pyHanko's text stamps come out wrong with Vietnamese (missing glyphs vanish in silence).
Every character is checked against the font before anything is drawn.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name
from PIL import Image, UnidentifiedImageError

from pki.errors import PdfRefused
from pki.pades.drawn import Drawn
from pki.pades.faults import PdfFault
from pki.pades.lettering import Face, face, font_object, subset_of

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
class Mark(Drawn):
    """What a mark shows: lines from top to bottom, the first one small, the second one bold; and a picture or none."""

    lines: tuple[str, ...]
    # PNG, at most 2 MB; stands to the left of the text.
    image: bytes | None = None

    def compose(self, pdf: pikepdf.Pdf, *, width: float, height: float, rotation: int, user_unit: float) -> None:
        """Draw the frame, the picture at the left and the text. See `Drawn`."""
        lines = [unicodedata.normalize("NFC", line) for line in self.lines]
        _check_text(lines)
        shown_width, shown_height = (height, width) if rotation in (90, 270) else (width, height)
        page = pdf.add_blank_page(page_size=(width, height))
        fonts = {"F1": face("Regular"), "F2": face("Bold")}
        used = {key: subset_of(shown, "".join(lines)) for key, shown in fonts.items()}
        resources = Dictionary(Font=Dictionary())
        for key, (data, glyph_ids) in used.items():
            resources.Font[Name("/" + key)] = font_object(pdf, fonts[key], data, glyph_ids)
        picture = image_object(pdf, self.image) if self.image is not None else None
        operators = [turn(rotation, width, height), _frame(shown_width, shown_height, user_unit)]
        text_left = 0.0
        if picture is not None:
            resources.XObject = Dictionary(Im1=picture)
            text_left, drawn = _draw_picture(picture, shown_width, shown_height)
            operators.append(drawn)
        operators.append(_text(lines, fonts, used, (text_left, shown_width, shown_height), user_unit))
        page.obj.Resources = resources
        page.obj.Contents = pdf.make_stream("\n".join(operators).encode("ascii"))


def _check_text(lines: list[str]) -> None:
    known = face("Regular").glyphs.keys() & face("Bold").glyphs.keys()
    fits = len(lines) <= _MAXIMUM_LINES and all(len(line) <= _MAXIMUM_LINE for line in lines)
    if not fits or any(ord(character) not in known for line in lines for character in line):
        raise PdfRefused(PdfFault.MARK_UNREADABLE)


def turn(rotation: int, width: float, height: float) -> str:
    """Return the operators that turn what follows against the turn of its page."""
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


def image_object(pdf: pikepdf.Pdf, png: bytes) -> pikepdf.Stream:
    """Return an image object with its transparency as a soft mask. Raises PdfRefused(MARK_UNREADABLE)."""
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
