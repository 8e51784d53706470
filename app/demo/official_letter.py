"""A one-page paper as Decree 30/2020 lays it out (Annex I, in millimetres from the upper left), for invented contents.

The number is left open after “Số:” and so is the day: both come when the paper is issued.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name

from pki.pades.lettering import Face, face, font_object, subset_of

_MM: Final = 72 / 25.4
_WIDTH: Final = 210.0
_HEIGHT: Final = 297.0
_LEFT: Final = 30.0
_RIGHT: Final = 195.0
# Middles of the two columns of the head, and of the signer's block.
_AGENCY: Final = 62.0
_NATION: Final = 148.0
_SIGNER: Final = 150.0
_INDENT: Final = 10.0
_LINE: Final = 6.5


@dataclass(frozen=True)
class Letter:
    above: str
    agency: str
    symbol: str
    place: str
    kind: str
    subject: str
    paragraphs: Sequence[str]
    post: str
    signer: str
    recipients: Sequence[str]


@dataclass(frozen=True)
class _Run:
    """A line of text: `x` in millimetres is its left edge, `y` its base line from above."""

    text: str
    x: float
    y: float
    style: str
    size: float


def render(letter: Letter) -> bytes:
    """Return the letter as a PDF of one A4 page with embedded fonts."""
    runs = list(_runs(letter))
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(_WIDTH * _MM, _HEIGHT * _MM))
        fonts, operators = Dictionary(), []
        for style in ("Regular", "Bold"):
            mine = [run for run in runs if run.style == style]
            data, glyph_ids = subset_of(face(style), "".join(run.text for run in mine))
            fonts[Name(f"/{style}")] = font_object(pdf, face(style), data, glyph_ids)
            operators += [_drawn(run, face(style), glyph_ids) for run in mine]
        page.obj.Resources = Dictionary(Font=fonts)
        page.obj.Contents = pdf.make_stream("\n".join([*operators, *_rules()]).encode("ascii"))
        output = BytesIO()
        pdf.save(output, deterministic_id=True)
    return output.getvalue()


def _runs(letter: Letter) -> Iterator[_Run]:
    yield _centred(letter.above, _AGENCY, 25, "Regular", 12)
    yield _centred(letter.agency, _AGENCY, 31, "Bold", 12)
    yield _centred("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", _NATION, 25, "Bold", 12)
    yield _centred("Độc lập - Tự do - Hạnh phúc", _NATION, 31, "Bold", 13)
    yield _centred(f"Số:            /{letter.symbol}", _AGENCY, 42, "Regular", 13)
    yield _centred(f"{letter.place}, ngày       tháng       năm 2026", _NATION, 42, "Regular", 13)
    yield _centred(letter.kind, (_LEFT + _RIGHT) / 2, 60, "Bold", 14)
    yield _centred(letter.subject, (_LEFT + _RIGHT) / 2, 67, "Bold", 14)
    y = 82.0
    for paragraph in letter.paragraphs:
        for number, line in enumerate(_wrapped(paragraph)):
            yield _Run(line, _LEFT + (_INDENT if number == 0 else 0), y, "Regular", 13)
            y += _LINE
        y += 2
    y += 8
    yield _centred(letter.post, _SIGNER, y, "Bold", 13)
    yield _centred(letter.signer, _SIGNER, y + 38, "Bold", 13)
    yield _Run("Nơi nhận:", _LEFT, y, "Bold", 12)
    for number, recipient in enumerate(letter.recipients, 1):
        yield _Run(f"- {recipient};", _LEFT, y + number * 5, "Regular", 11)


def _centred(text: str, middle: float, y: float, style: str, size: float) -> _Run:
    return _Run(text, middle - face(style).width(text, size) / _MM / 2, y, style, size)


def _wrapped(paragraph: str) -> Iterator[str]:
    shown, line, room = face("Regular"), "", _RIGHT - _LEFT - _INDENT
    for word in paragraph.split():
        longer = f"{line} {word}".strip()
        if shown.width(longer, 13) / _MM > room:
            yield line
            longer, room = word, _RIGHT - _LEFT
        line = longer
    yield line


def _drawn(run: _Run, shown: Face, glyph_ids: dict[str, int]) -> str:
    codes = "".join(f"{glyph_ids[shown.glyphs[ord(character)]]:04X}" for character in run.text)
    x, y = run.x * _MM, (_HEIGHT - run.y) * _MM
    return f"BT /{run.style} {run.size} Tf {x:.2f} {y:.2f} Td <{codes}> Tj ET"


def _rules() -> Iterator[str]:
    """The lines below the agency's name and below the motto."""
    for middle, y, length in ((_AGENCY, 33, 22), (_NATION, 33, 58)):
        left, height = (middle - length / 2) * _MM, (_HEIGHT - y) * _MM
        yield f"0.6 w {left:.2f} {height:.2f} m {left + length * _MM:.2f} {height:.2f} l S"
