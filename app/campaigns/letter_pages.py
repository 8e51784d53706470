"""The pages of printed invitations: A4, folded in three, the name in the window of the envelope (ISO 269, DL)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pikepdf
import qrcode
from jinja2 import Environment, PackageLoader, StrictUndefined
from pikepdf import Dictionary, Name
from qrcode.constants import ERROR_CORRECT_Q

from pki.pades.lettering import Face, face, font_object, subset_of

_MM: Final = 72 / 25.4
_WIDTH: Final = 210 * _MM
_HEIGHT: Final = 297 * _MM
_LEFT: Final = 25 * _MM
_RIGHT: Final = 190 * _MM
_INK: Final = "0.086 0.129 0.227"
_QUIET: Final = "0.314 0.357 0.439"
_CODE: Final = 48 * _MM
_templates: Final = Environment(
    loader=PackageLoader("app", "templates/campaigns/letters"), autoescape=False, undefined=StrictUndefined  # noqa: S701  plain text
)  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """What one page says beside what all say."""

    name: str
    agency: str
    link: str
    last_day: str
    # Stands small at the foot, so that a ward can sort what comes back.
    mark: str


@dataclass(frozen=True)
class _Line:
    """A line of text: place in points from the top left corner, and how it is set."""

    x: float
    y: float
    text: str
    size: float
    style: str = "Regular"
    colour: str = _INK


def render(letters: Sequence[Letter], *, city: str, phone: str, printed_on: str) -> bytes:
    """Return one PDF with a page for each letter. A character that the font lacks is left out of the page."""
    pages = [list(_lines(letter, city, phone, printed_on)) for letter in letters]
    with pikepdf.new() as pdf:
        faces = {style: face(style) for style in ("Regular", "Bold")}
        text = "".join(sorted({letter for lines in pages for line in lines for letter in line.text}))
        glyphs, fonts = {}, Dictionary()
        for style, shown in faces.items():
            known = "".join(letter for letter in text if ord(letter) in shown.glyphs)
            data, glyphs[style] = subset_of(shown, known)
            fonts[Name(f"/{style}")] = font_object(pdf, shown, data, glyphs[style])
        resources = pdf.make_indirect(Dictionary(Font=fonts))
        for letter, lines in zip(letters, pages, strict=True):
            page = pdf.add_blank_page(page_size=(_WIDTH, _HEIGHT))
            page.obj.Resources = resources
            drawn = [_folds(), _code(letter.link), *(_shown(line, faces, glyphs) for line in lines)]
            page.obj.Contents = pdf.make_stream("\n".join(drawn).encode("ascii"))
        output = BytesIO()
        pdf.save(output)
    return output.getvalue()


def _lines(letter: Letter, city: str, phone: str, printed_on: str) -> Iterator[_Line]:
    facts = {"agency": letter.agency, "city": city, "last_day": letter.last_day, "phone": phone}
    # The window of a DL envelope: 20 to 110 mm from the left, 45 to 90 mm from the top.
    yield _Line(_LEFT, 48 * _MM, letter.agency, 8, colour=_QUIET)
    yield _Line(_LEFT, 57 * _MM, "Kính gửi", 11)
    yield _Line(_LEFT, 64 * _MM, letter.name, 14, "Bold")
    yield _Line(_LEFT, 71 * _MM, letter.agency, 11)
    yield _Line(140 * _MM, 57 * _MM, printed_on, 11, colour=_QUIET)
    yield _Line(_LEFT, 25 * _MM, "Ký Vào", 20, "Bold")
    yield _Line(_LEFT, 32 * _MM, city, 11, colour=_QUIET)
    y = 102 * _MM
    yield _Line(_LEFT, y, "Mời bạn nhận chữ ký số cá nhân", 18, "Bold")
    y += 10 * _MM
    before, _, after = _templates.get_template("letter.txt").render(facts).partition("---")
    for line in _paragraphs(before, _RIGHT - _LEFT, 12):
        yield _Line(_LEFT, y, line, 12)
        y += 6.2 * _MM
    beside = _LEFT + _CODE + 8 * _MM
    y = _code_top() + 6 * _MM
    for number, line in enumerate(_paragraphs(after, _RIGHT - beside, 12)):
        yield _Line(beside, y, line, 12, "Bold" if number == 0 else "Regular")
        y += 6.2 * _MM
    for number, part in enumerate(_pieces(letter.link, _RIGHT - _LEFT, 10)):
        yield _Line(_LEFT, _code_top() + _CODE + 8 * _MM + number * 5 * _MM, part, 10)
    yield _Line(_LEFT, 285 * _MM, letter.mark, 8, colour=_QUIET)


def _code_top() -> float:
    """Below the second fold: a crease through a code makes it hard to read."""
    return 204 * _MM


def _paragraphs(text: str, width: float, size: float) -> Iterator[str]:
    """Yield the lines of paragraphs set in `width`, with an empty one between two paragraphs."""
    regular = face("Regular")
    for number, paragraph in enumerate(part for part in text.strip().split("\n\n") if part.strip()):
        if number:
            yield ""
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and _width(regular, longer, size) > width:
                yield line
                line = word
            else:
                line = longer
        yield line


def _pieces(text: str, width: float, size: float) -> Iterator[str]:
    """Yield a link in pieces that fit, since it has no spaces."""
    regular, piece = face("Regular"), ""
    for letter in text:
        if _width(regular, piece + letter, size) > width:
            yield piece
            piece = ""
        piece += letter
    yield piece


def _width(shown: Face, text: str, size: float) -> float:
    return shown.width("".join(letter for letter in text if ord(letter) in shown.glyphs), size)


def _shown(line: _Line, faces: Mapping[str, Face], glyphs: Mapping[str, Mapping[str, int]]) -> str:
    known = faces[line.style].glyphs
    numbers = "".join(f"{glyphs[line.style][known[ord(one)]]:04X}" for one in line.text if ord(one) in known)
    return (
        f"BT {line.colour} rg /{line.style} {line.size:.1f} Tf"
        f" 1 0 0 1 {line.x:.2f} {_HEIGHT - line.y:.2f} Tm <{numbers}> Tj ET"
    )


def _code(link: str) -> str:
    """Draw the link as a QR code with its quiet zone; level Q bears a fold and a stain."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(link)
    code.make(fit=True)
    rows = code.get_matrix()
    size = _CODE / len(rows)
    top = _HEIGHT - _code_top()
    squares = "".join(
        f"{_LEFT + x * size:.2f} {top - (y + 1) * size:.2f} {size + 0.02:.2f} {size + 0.02:.2f} re\n"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module
    )
    return f"0 0 0 rg\n{squares}f"


def _folds() -> str:
    """Short marks where the sheet is folded."""
    return "0.6 G 0.4 w " + " ".join(
        f"{5 * _MM:.2f} {_HEIGHT - at * _MM:.2f} m {9 * _MM:.2f} {_HEIGHT - at * _MM:.2f} l S" for at in (99, 198)
    )
