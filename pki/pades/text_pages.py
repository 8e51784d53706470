"""Plain text as a PDF of A4 pages, in the embedded font of the house: reports that people keep."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name

from pki.pades.lettering import Face, face, font_object, subset_of

_WIDTH: Final = 595.28
_HEIGHT: Final = 841.89
_SIDE: Final = 62.0
_TOP: Final = 62.0
_BOTTOM: Final = 62.0
_LEADING: Final = 1.35
# What the font has no glyph for.
_UNKNOWN: Final = "?"


@dataclass(frozen=True)
class Paragraph:
    """Text that is broken into lines; sizes in points."""

    text: str
    size: float = 11.0
    bold: bool = False
    # Room above it, except at the top of a page.
    above: float = 3.0


@dataclass(frozen=True)
class _Line:
    text: str
    size: float
    bold: bool
    base: float


def render(paragraphs: Sequence[Paragraph], *, title: str, language: str) -> bytes:
    """Return a PDF with the paragraphs one below the other, on as many pages as they need.

    A character that the font lacks is written as a question mark. The same text gives the same bytes.
    """
    pages = list(_pages(paragraphs))
    fonts = {False: face("Regular"), True: face("Bold")}
    texts = {bold: "".join(line.text for page in pages for line in page if line.bold is bold) for bold in fonts}
    with pikepdf.new() as pdf:
        used = {bold: subset_of(shown, texts[bold]) for bold, shown in fonts.items()}
        named = Dictionary(
            F1=font_object(pdf, fonts[False], *used[False]), F2=font_object(pdf, fonts[True], *used[True])
        )
        resources = pdf.make_indirect(Dictionary(Font=named))
        for lines in pages:
            page = pdf.add_blank_page(page_size=(_WIDTH, _HEIGHT))
            page.obj.Resources = resources
            shown = (_operator(line, fonts[line.bold], used[line.bold][1]) for line in lines)
            page.obj.Contents = pdf.make_stream("\n".join(["BT", *shown, "ET"]).encode("ascii"))
        pdf.docinfo[Name.Title] = title
        pdf.Root.Lang = pikepdf.String(language)
        output = BytesIO()
        pdf.save(output, deterministic_id=True, min_version="1.7")
    return output.getvalue()


def _pages(paragraphs: Sequence[Paragraph]) -> Iterator[list[_Line]]:
    page: list[_Line] = []
    base = _HEIGHT - _TOP
    for paragraph in paragraphs:
        step = paragraph.size * _LEADING
        base -= paragraph.above if page else 0.0
        for text in _broken(paragraph):
            if base - step < _BOTTOM:
                yield page
                page, base = [], _HEIGHT - _TOP
            base -= step
            page.append(_Line(text, paragraph.size, paragraph.bold, base))
    yield page


def _broken(paragraph: Paragraph) -> Iterator[str]:
    """Yield the lines of a paragraph: broken at spaces, and inside what is longer than a line."""
    shown = face("Bold" if paragraph.bold else "Regular")
    room = _WIDTH - 2 * _SIDE
    line = ""
    for word in _known(paragraph.text, shown).split():
        longer = f"{line} {word}" if line else word
        if shown.width(longer, paragraph.size) <= room:
            line = longer
            continue
        if line:
            yield line
        *full, line = _cut(word, shown, paragraph.size, room)
        yield from full
    yield line


def _cut(word: str, shown: Face, size: float, room: float) -> list[str]:
    pieces = [""]
    for character in word:
        if shown.width(pieces[-1] + character, size) > room:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _known(text: str, shown: Face) -> str:
    composed = unicodedata.normalize("NFC", text)
    return "".join(one if one.isspace() or ord(one) in shown.glyphs else _UNKNOWN for one in composed)


def _operator(line: _Line, shown: Face, glyph_ids: dict[str, int]) -> str:
    digits = "".join(f"{glyph_ids[shown.glyphs[ord(one)]]:04X}" for one in line.text)
    font = "F2" if line.bold else "F1"
    return f"/{font} {line.size:.2f} Tf 1 0 0 1 {_SIDE:.2f} {line.base:.2f} Tm <{digits}> Tj"
