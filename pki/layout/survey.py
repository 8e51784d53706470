"""What of a whole paper breaks Decree 30/2020, Annex I, looked at before somebody acts on it.

Of a draft the places are measured that it would get; of a paper with fields those that it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from pki.layout.blanks import date_blank, number_blank
from pki.layout.plan import Signer, attachment_place
from pki.layout.rules import Rule, Violation, check
from pki.layout.signature_block import SignatureBlock, find_signature_block, seal_place, signature_place
from pki.layout.words import Line, around, as_shown, lines_of
from pki.pades.fields import DATE, NUMBER, SEAL
from pki.pades.placement import PageGeometry, Placement, Rectangle

_A4_MM: Final = (210.0, 297.0)
_OFF_PAGE_MM: Final = 1.0
# The least that stays empty: left, bottom, right, top (Annex I, I.4).
_MARGINS_MM: Final = (30.0, 20.0, 15.0, 20.0)
# Letters have side bearings, and some reach a little over their line.
_INK_MM: Final = 0.6


@dataclass(frozen=True)
class Finding:
    """A rule that a paper breaks: on which page (from 1), what was measured and allowed in millimetres, at whose name.

    Lengths are None where something is missing altogether.
    """

    rule: Rule
    page: int
    measured_mm: float | None = None
    least_mm: float | None = None
    most_mm: float | None = None
    whose: str = ""


def survey(
    pdf: IO[bytes],
    pages: Sequence[PageGeometry],
    *,
    heads: Sequence[Signer],
    seal_diameter_mm: float,
    places: Mapping[str, Placement],
) -> list[Finding]:
    """Return what a main document breaks; `places` are its visible fields by name, none for a draft.

    Raises PdfRefused for an unreadable file.
    """
    found: list[Finding] = []
    looked_at = {1}
    seal_is_due = True
    for head in heads:
        block = find_signature_block(pdf, pages, head.full_name) if head.full_name else None
        if block is None:
            found.append(Finding(Rule.BLOCK_MISSING, len(pages), whose=head.full_name or ""))
            continue
        looked_at.add(block.page)
        broken = _of_block(block, pages, places, head.field_name, seal_diameter_mm if seal_is_due else None)
        found += [_finding(one, block.page, head.full_name or "") for one in broken]
        seal_is_due = False
    found += _head_of_page(pdf, pages[0], places)
    for page in sorted(looked_at):
        found += _of_page(lines_of(pdf, page, pages[page - 1]), page, pages[page - 1])
    return found


def survey_attachment(pdf: IO[bytes], pages: Sequence[PageGeometry], places: Mapping[str, Placement]) -> list[Finding]:
    """Return what an attachment breaks: its number, symbol and time need a free strip on the first page."""
    if SEAL in places or attachment_place(pdf, pages[0]) is not None:
        return []
    return [Finding(Rule.NO_FREE_STRIP, 1)]


def _of_block(
    block: SignatureBlock,
    pages: Sequence[PageGeometry],
    places: Mapping[str, Placement],
    field_name: str,
    diameter_mm: float | None,
) -> list[Violation]:
    geometry = pages[block.page - 1]
    own = places.get(field_name)
    if own is not None and own.page != block.page:
        # It was moved away on purpose; there is nothing to be measured against.
        return []
    signature = as_shown(own.rectangle, geometry) if own is not None else signature_place(block)
    seal = _seal(places, geometry, block.page, signature, diameter_mm)
    return check(block, signature, geometry.shown_size_mm, seal=seal, diameter_mm=diameter_mm)


def _seal(
    places: Mapping[str, Placement],
    geometry: PageGeometry,
    page: int,
    signature: Rectangle,
    diameter_mm: float | None,
) -> Rectangle | None:
    """Return the box of the seal: what its field leaves of its true size, or where a draft would get it."""
    if diameter_mm is None:
        return None
    if not places:
        return seal_place(signature, diameter_mm)
    field = places.get(SEAL)
    if field is None or field.page != page:
        return None
    left, bottom, right, top = as_shown(field.rectangle, geometry)
    half = min(diameter_mm, right - left, top - bottom) / 2
    x, y = (left + right) / 2, (bottom + top) / 2
    return (x - half, y - half, x + half, y + half)


def _finding(one: Violation, page: int, whose: str) -> Finding:
    return Finding(one.rule, page, one.measured_mm, one.least_mm, one.most_mm, whose)


def _head_of_page(pdf: IO[bytes], geometry: PageGeometry, places: Mapping[str, Placement]) -> Iterator[Finding]:
    lines, height = lines_of(pdf, 1, geometry), geometry.shown_size_mm[1]
    if NUMBER not in places and number_blank(lines, height) is None:
        yield Finding(Rule.NUMBER_MISSING, 1)
    if DATE not in places and date_blank(lines, height) is None:
        yield Finding(Rule.DATE_MISSING, 1)


def _of_page(lines: Sequence[Line], page: int, geometry: PageGeometry) -> Iterator[Finding]:
    """Yield what is wrong with size and margins of a page."""
    width, height = geometry.shown_size_mm
    for rule, side, usual in zip((Rule.PAGE_WIDTH, Rule.PAGE_HEIGHT), (width, height), _A4_MM, strict=True):
        if abs(side - usual) > _OFF_PAGE_MM:
            yield Finding(rule, page, side, usual, usual)
    text = [line.box for line in lines if not _is_page_number(line, page)]
    if not text:
        return
    left, bottom, right, top = around(text)
    rules = (Rule.MARGIN_LEFT, Rule.MARGIN_BOTTOM, Rule.MARGIN_RIGHT, Rule.MARGIN_TOP)
    margins = (left, bottom, width - right, height - top)
    for rule, measured, least in zip(rules, margins, _MARGINS_MM, strict=True):
        if measured < least - _INK_MM:
            yield Finding(rule, page, measured, least, least + 5.0)


def _is_page_number(line: Line, page: int) -> bool:
    """Say whether the line is what stands alone in the margin of every page but the first."""
    return page > 1 and len(line.words) == 1 and line.words[0].text.isdigit()
