"""All the fields of a document that goes through several hands, planned before anybody signs.

The heads' signatures stand in their blocks, the seal over the first one's left third unless that breaks a rule, number
and date in their blanks, initials behind the text and the recipients, the code where the first page is empty. What has
no place found is left out: whoever signs then chooses one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import IO, Final

from pki.errors import PdfRefused
from pki.layout.blanks import date_blank, number_blank
from pki.layout.free_place import along_the_foot, free_place
from pki.layout.initials import SIZE_MM, after_recipients, after_text
from pki.layout.rules import check
from pki.layout.signature_block import SignatureBlock, find_signature_block, seal_place, signature_place
from pki.layout.words import lines_of
from pki.pades.fields import CODE, DATE, NUMBER, SEAL, FieldKind, FieldSpec, Lock
from pki.pades.placement import Corner, PageGeometry, Placement, Rectangle, place

_CODE_MM: Final = (24.0, 24.0)
_BETWEEN_MM: Final = 2.0
# Text at the top right of an attachment (Decree 30, Annex I): from the edge, from the top, wide, high.
_ATTACHMENT_MM: Final = (15.0, 8.0, 70.0, 17.0)
_STEP_MM: Final = 10.0
# Of ten points and the room to the next line.
_LINE_MM: Final = 10 * 1.2 * 25.4 / 72


@dataclass(frozen=True)
class Signer:
    """A signature to come: the name of its field, and the full name that stands below it if it is known."""

    field_name: str
    full_name: str | None


def plan_fields(
    pdf: IO[bytes],
    pages: Sequence[PageGeometry],
    *,
    heads: Sequence[Signer],
    initials: Sequence[str],
    seal_diameter_mm: float,
) -> list[FieldSpec]:
    """Return the fields to make; `initials` are the names of their fields. Raises PdfRefused for an unreadable file."""
    found = [(one, find_signature_block(pdf, pages, one.full_name)) for one in heads if one.full_name]
    specs: list[FieldSpec] = []
    taken: list[tuple[int, Rectangle]] = []
    for signer, block in found:
        if block is not None:
            box = signature_place(block)
            seal, size = seal_place(box, seal_diameter_mm), pages[block.page - 1].shown_size_mm
            fits = not check(block, box, size, seal=seal, diameter_mm=seal_diameter_mm)
            if fits and not any(spec.name == SEAL for spec in specs):
                specs += _field(pages, SEAL, FieldKind.SIGNATURE, block.page, seal, Lock.ALL)
                taken.append((block.page, seal))
            others = tuple(one.field_name for one in heads if one != signer)
            specs += _field(pages, signer.field_name, FieldKind.SIGNATURE, block.page, box, Lock.ALL_BUT_ISSUE, others)
            taken.append((block.page, box))
    specs += _head_of_page(pdf, pages)
    first = next((block for _, block in found if block is not None), None)
    specs += _initials(pdf, pages, initials, first, taken)
    code = free_place(pdf, 1, pages[0], along_the_foot(pages[0].shown_size_mm[0], _CODE_MM, from_left=True))
    if code is not None:
        specs += _field(pages, CODE, FieldKind.TEXT, 1, code)
    return specs


def plan_attachment(pdf: IO[bytes], pages: Sequence[PageGeometry]) -> list[FieldSpec]:
    """Return the field of the seal on an attachment: it stands in words, and is closed by no head's signature."""
    box = attachment_place(pdf, pages[0])
    return list(_field(pages, SEAL, FieldKind.SIGNATURE, 1, box, Lock.ALL)) if box is not None else []


def attachment_place(pdf: IO[bytes], page: PageGeometry, *, lines: int = 2) -> Rectangle | None:
    """Return the box on the first page for so many lines of ten points: top right, else the nearest that is empty.

    Where the whole box has no room, one as low as the lines, in the top margin and then at the foot. In millimetres as
    shown, from the lower left; None where there is none.
    """
    right, top, width, height = _ATTACHMENT_MM
    page_width, page_height = page.shown_size_mm
    low = min(height, lines * _LINE_MM)

    def along_the_top(tall: float, starts: Sequence[float]) -> Iterator[Rectangle]:
        for above in starts:
            for left in _downwards(page_width - right - width, right):
                yield (left, page_height - above - tall, left + width, page_height - above)

    wanted = (
        along_the_top(height, (top, top / 2)),
        along_the_top(low, (top, top * 3 / 4, top / 2)),
        along_the_foot(page_width, (width, height), from_left=False),
        along_the_foot(page_width, (width, low), from_left=False, lowest_mm=4.0),
    )
    return free_place(pdf, 1, page, chain.from_iterable(wanted))


def _downwards(begins: float, ends: float) -> Iterator[float]:
    while begins >= ends:
        yield begins
        begins -= _STEP_MM


def _head_of_page(pdf: IO[bytes], pages: Sequence[PageGeometry]) -> Iterator[FieldSpec]:
    lines, height = lines_of(pdf, 1, pages[0]), pages[0].shown_size_mm[1]
    number, day = number_blank(lines, height), date_blank(lines, height)
    if number is not None:
        yield from _field(pages, NUMBER, FieldKind.TEXT, 1, number.box)
    if day is not None:
        yield from _field(pages, DATE, FieldKind.TEXT, 1, day.box)


def _initials(
    pdf: IO[bytes],
    pages: Sequence[PageGeometry],
    names: Sequence[str],
    block: SignatureBlock | None,
    taken: Sequence[tuple[int, Rectangle]],
) -> Iterator[FieldSpec]:
    """Yield small fields: the last of several, of who answers for the form, behind the recipients; the others behind
    the text. Where there is no room, to the left of the first signature.
    """
    if block is None:
        return
    used = list(taken)
    text = list(after_text(pdf, pages, block))
    for at, name in enumerate(names):
        own = list(after_recipients(pdf, pages, block)) if at and at == len(names) - 1 else []
        wanted = [one for one in (*own, *text, *_beside(block)) if not _is_taken(one, used)]
        for page, boxes in groupby(wanted, key=lambda one: one[0]):
            box = free_place(pdf, page, pages[page - 1], [one for _, one in boxes])
            if box is not None:
                used.append((page, box))
                yield from _field(pages, name, FieldKind.SIGNATURE, page, box)
                break


def _beside(block: SignatureBlock) -> Iterator[tuple[int, Rectangle]]:
    """Yield places to the left of the signature, one above the other."""
    (width, height), signature = SIZE_MM, signature_place(block)
    for left in (signature[0] - 40.0 - width, signature[0] - 64.0 - width, 32.0):
        for bottom in (signature[1], signature[1] - 11.0, signature[1] - 22.0, signature[3] + 2.0):
            yield block.page, (left, bottom, left + width, bottom + height)


def _is_taken(one: tuple[int, Rectangle], used: Sequence[tuple[int, Rectangle]]) -> bool:
    return any(one[0] == page and _meet(one[1], box) for page, box in used)


def _meet(one: Rectangle, other: Rectangle) -> bool:
    return min(one[2], other[2]) + _BETWEEN_MM > max(one[0], other[0]) and min(one[3], other[3]) + _BETWEEN_MM > max(
        one[1], other[1]
    )


def _field(
    pages: Sequence[PageGeometry],
    name: str,
    kind: FieldKind,
    page: int,
    box: Rectangle,
    lock: Lock = Lock.NOTHING,
    leaves: Sequence[str] = (),
) -> Iterator[FieldSpec]:
    """Yield the field, nothing if its box leaves the page."""
    try:
        where = _placement(pages, page, box)
    except PdfRefused:
        return
    yield FieldSpec(name, kind, where, lock, leaves)


def _placement(pages: Sequence[PageGeometry], page: int, box: Rectangle) -> Placement:
    left, bottom, right, top = box
    return place(
        tuple(pages),
        page=page,
        corner=Corner.BOTTOM_LEFT,
        x_mm=left,
        y_mm=bottom,
        width_mm=right - left,
        height_mm=top - bottom,
    )
