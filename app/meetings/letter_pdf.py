"""The invitation as a paper letter: one A4 page in the shape of Decree 30/2020, with the code of the pass on it.

The page names the pass by the SHA-256 of its secret, in the file's own particulars: they are under the seal, so that
whoever holds the file can be told what became of the pass, and the number in the file opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name

from pki.pades.lettering import Face, face, font_object, subset_of
from pki.passes import qr

PASS_NAME: Final = Name("/KyVaoPass")

_MM: Final = 72 / 25.4
_WIDTH: Final = 210 * _MM
_HEIGHT: Final = 297 * _MM
# Margins of a paper of the state (Decree 30/2020, Annex I).
_LEFT: Final = 30 * _MM
_RIGHT: Final = 195 * _MM
_LEFT_COLUMN: Final = 67 * _MM
_RIGHT_COLUMN: Final = 148 * _MM
_COLUMN: Final = 72 * _MM
_CODE: Final = 48 * _MM
_CODE_TOP: Final = 154 * _MM
_FOOT_TOP: Final = 262 * _MM
# Where the seal stands: left, bottom, right, top, in points from the bottom left corner.
SEAL_BOX: Final = (118 * _MM, 297 * _MM - 250 * _MM, 190 * _MM, 297 * _MM - 226 * _MM)
_SIZE: Final = 13.0
_SMALL: Final = 9.5
_LEADING: Final = 1.35
# What the font has no glyph for.
_UNKNOWN: Final = "?"
_STATE: Final = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
_MOTTO: Final = "Độc lập - Tự do - Hạnh phúc"


@dataclass(frozen=True)
class Letter:
    """What one letter says; the texts are complete sentences, paragraphs divided by an empty line."""

    agency: str
    # Place and day, as they stand at the head.
    dated: str
    title: str
    body: str
    # Beside the code; its first paragraph is in bold.
    beside: str
    foot: str
    desk_code: str
    digits: str
    # SHA-256 of the pass's secret, in hexadecimal digits.
    pass_name: str


@dataclass(frozen=True)
class _Line:
    """A line of text: left end and base in points from the top left corner."""

    x: float
    y: float
    text: str
    size: float
    style: str = "Regular"


def render(letter: Letter) -> bytes:
    """Return the page as a PDF without a seal. The same letter gives the same bytes."""
    lines = list(_lines(letter))
    with pikepdf.new() as pdf:
        fonts, glyphs = Dictionary(), {}
        for style in ("Regular", "Bold"):
            shown = face(style)
            data, glyphs[style] = _subset(style, "".join(line.text for line in lines if line.style == style))
            fonts[Name(f"/{style}")] = font_object(pdf, shown, data, glyphs[style])
        page = pdf.add_blank_page(page_size=(_WIDTH, _HEIGHT))
        page.obj.Resources = Dictionary(Font=fonts)
        drawn = [_rules(letter), _code(letter.digits), *(_shown(line, glyphs[line.style]) for line in lines)]
        page.obj.Contents = pdf.make_stream("\n".join(drawn).encode("ascii"))
        pdf.docinfo[Name.Title] = letter.title
        pdf.docinfo[PASS_NAME] = letter.pass_name
        pdf.Root.Lang = pikepdf.String("vi")
        output = BytesIO()
        pdf.save(output, deterministic_id=True, min_version="1.7")
    return output.getvalue()


def _lines(letter: Letter) -> Iterator[_Line]:
    heads = _broken(letter.agency.upper(), _COLUMN, 12, "Bold")
    yield from _centred(heads, _LEFT_COLUMN, 25 * _MM, 12, "Bold")
    yield from _centred([_STATE], _RIGHT_COLUMN, 25 * _MM, 11, "Bold")
    yield from _centred([_MOTTO], _RIGHT_COLUMN, 31 * _MM, 12, "Bold")
    yield from _centred([letter.dated], _RIGHT_COLUMN, 45 * _MM, 12, "Regular")
    middle, y = (_LEFT + _RIGHT) / 2, 60 * _MM
    yield from _centred(["GIẤY MỜI"], middle, y, 16, "Bold")
    title = _broken(letter.title, 140 * _MM, 14, "Bold")[:3]
    yield from _centred(title, middle, y + 8 * _MM, 14, "Bold")
    y += (8 + len(title) * 6.7 + 5) * _MM
    yield from _set(letter.body, _LEFT, y, _RIGHT - _LEFT, _fitting(letter.body, _CODE_TOP - y - 4 * _MM))
    beside = _LEFT + _CODE + 8 * _MM
    first, _, rest = letter.beside.strip().partition("\n\n")
    y = _CODE_TOP + 6 * _MM
    yield from _set(first, beside, y, _RIGHT - beside, 12, "Bold")
    below = list(_set(rest, beside, y + 8 * _MM, _RIGHT - beside, 11))
    yield from below
    yield _Line(beside, below[-1].y + 11 * _MM, f"{letter.desk_code[:4]} {letter.desk_code[4:]}", 20, "Bold")
    yield from _set(letter.foot, _LEFT, _FOOT_TOP, _RIGHT - _LEFT, _SMALL)


def _fitting(text: str, height: float) -> float:
    """Return the size at which the letter's text stands above the code: 13 points, less for long titles and names."""
    size = _SIZE
    while size > _SMALL and sum(1 for _ in _set(text, 0, 0, _RIGHT - _LEFT, size)) * size * 1.6 > height:
        size -= 0.5
    return size


def _centred(lines: Sequence[str], middle: float, y: float, size: float, style: str) -> Iterator[_Line]:
    for number, line in enumerate(lines):
        text = _known(line, face(style))
        yield _Line(middle - face(style).width(text, size) / 2, y + number * size * _LEADING, text, size, style)


def _set(text: str, x: float, y: float, width: float, size: float, style: str = "Regular") -> Iterator[_Line]:
    """Set paragraphs one below the other, a third of a line between them."""
    for paragraph in (part for part in text.strip().split("\n\n") if part.strip()):
        for line in _broken(paragraph, width, size, style):
            yield _Line(x, y, line, size, style)
            y += size * _LEADING
        y += size * 0.35


def _broken(text: str, width: float, size: float, style: str) -> list[str]:
    """Return the lines of a paragraph; a word wider than the line is cut."""
    shown, lines = face(style), [""]
    for word in _known(text, shown).split():
        longer = f"{lines[-1]} {word}".strip()
        if shown.width(longer, size) <= width:
            lines[-1] = longer
            continue
        lines = [line for line in lines if line] + [""]
        for letter in word:
            if shown.width(lines[-1] + letter, size) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def _known(text: str, shown: Face) -> str:
    return "".join(one if ord(one) in shown.glyphs or one.isspace() else _UNKNOWN for one in text)


def _subset(style: str, text: str) -> tuple[bytes, dict[str, int]]:
    return _cached_subset(style, "".join(sorted(set(text))))


@lru_cache(maxsize=16)
def _cached_subset(style: str, letters: str) -> tuple[bytes, dict[str, int]]:
    return subset_of(face(style), letters)


def _shown(line: _Line, glyph_ids: Mapping[str, int]) -> str:
    glyphs = face(line.style).glyphs
    numbers = "".join(f"{glyph_ids[glyphs[ord(one)]]:04X}" for one in line.text)
    return f"BT 0 g /{line.style} {line.size:.1f} Tf 1 0 0 1 {line.x:.2f} {_HEIGHT - line.y:.2f} Tm <{numbers}> Tj ET"


def _code(digits: str) -> str:
    """Draw the code with its quiet zone; level Q bears a fold and a stain."""
    rows = qr.matrix(digits, qr.Level.PAPER)
    size, top = _CODE / len(rows), _HEIGHT - _CODE_TOP
    squares = "".join(
        f"{_LEFT + x * size:.2f} {top - (y + 1) * size:.2f} {size + 0.02:.2f} {size + 0.02:.2f} re\n"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module
    )
    return f"0 g\n{squares}f"


def _rules(letter: Letter) -> str:
    """Draw the lines under the agency's name and under the motto, and the one above the foot."""
    heads = len(_broken(letter.agency.upper(), _COLUMN, 12, "Bold"))
    motto = face("Bold").width(_MOTTO, 12)
    lines = (
        (_LEFT_COLUMN - 12 * _MM, _LEFT_COLUMN + 12 * _MM, 25 * _MM + (heads - 1) * 12 * _LEADING + 2.8 * _MM),
        (_RIGHT_COLUMN - motto / 2, _RIGHT_COLUMN + motto / 2, 33.4 * _MM),
        (_LEFT, _RIGHT, _FOOT_TOP - 5 * _MM),
    )
    return "0 G 0.6 w " + " ".join(f"{a:.2f} {_HEIGHT - y:.2f} m {b:.2f} {_HEIGHT - y:.2f} l S" for a, b, y in lines)
