"""How two revisions of a PDF look: page by page, drawn by pdfium and, where it is installed, by poppler.

The objects of a file say what changed for one parser; viewers may read another file out of the same bytes (signing.md
of the house, 6.3, 6). Nothing here knows signatures: which changes are foreseen is told by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import BinaryIO, Final

import pypdfium2
from PIL import Image, ImageChops, ImageDraw
from pypdfium2 import PdfDocument, PdfPage, PdfPosConv

from pki.errors import PdfRefused
from pki.pades import page_print, poppler
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.report import Box, PageDifference

# The longer side of a page as it is drawn, in pixels: one of A4 is drawn at 86 to an inch.
LONGER_SIDE: Final = 1000
# Out of 255; the same page drawn twice by one program does not differ at all.
_SEEN: Final = 12
# Changed pixels this close together are one area.
_CELL: Final = 12
# More areas than this on one page are told as one.
_MOST_AREAS: Final = 24
# Of the outlines in pictures, and how far from what they surround, in pixels.
_FORESEEN: Final = "#1D4E89"
_UNEXPLAINED: Final = "#A61B1B"
_AROUND: Final = 6
# The ink of a mark spreads into the pixels around its field.
_SPREAD: Final = 2


def compare(
    signed: BinaryIO,
    received: BinaryIO,
    *,
    most_pages: int,
    foreseen: Mapping[int, Sequence[Box]] | None = None,
    with_pictures: bool = False,
) -> tuple[PageDifference, ...]:
    """Return the pages (from 1) of `received` that do not look as in `signed`, with their changed areas in user space.

    Drawn are the first `most_pages` pages, and behind them any whose objects are not the same. What lies in the boxes
    that `foreseen` names for a page is explained. A page that only one of the two has differs as a whole.
    Raises PdfRefused: TOO_MANY_PAGES when more than `most_pages` would have to be drawn behind the first ones; DAMAGED
    when pdfium cannot draw one of the files, or poppler draws the first and not the second.
    """
    with refusing(PdfFault.DAMAGED), _opened(signed) as before, _opened(received) as after:
        chosen = _chosen(signed, received, max(len(before), len(after)), most_pages)
        return tuple(
            one
            for pages in _some_at_a_time(chosen)
            for one in _differences(
                (before, after), (signed, received), pages, foreseen or {}, with_pictures=with_pictures
            )
        )


def _opened(pdf: BinaryIO) -> PdfDocument:
    pdf.seek(0)
    return pypdfium2.PdfDocument(pdf)


def _chosen(signed: BinaryIO, received: BinaryIO, count: int, most_pages: int) -> list[int]:
    if count <= most_pages:
        return list(range(1, count + 1))
    before, after = page_print.prints_of(signed), page_print.prints_of(received)
    later = [number for number in range(most_pages + 1, count + 1) if before.get(number) != after.get(number)]
    if len(later) > most_pages:
        raise PdfRefused(PdfFault.TOO_MANY_PAGES)
    return [*range(1, most_pages + 1), *later]


def _some_at_a_time(pages: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield runs of neighbouring pages, short enough that their pictures fit into memory."""
    run: list[int] = []
    for page in pages:
        if run and (page != run[-1] + 1 or len(run) == poppler.MOST_AT_ONCE):
            yield run
            run = []
        run.append(page)
    yield run


def _differences(
    documents: tuple[PdfDocument, PdfDocument],
    files: tuple[BinaryIO, BinaryIO],
    pages: Sequence[int],
    foreseen: Mapping[int, Sequence[Box]],
    *,
    with_pictures: bool,
) -> Iterator[PageDifference]:
    before, after = documents
    second = _seen_by_poppler(files, pages, len(before), len(after))
    for number in pages:
        one, other = _drawn(before, number), _drawn(after, number)
        shown = after if number <= len(after) else before
        mask = _mask(one, other)
        if number in second:
            mask = ImageChops.lighter(mask, second[number].resize(mask.size, Image.Resampling.NEAREST))
        place = shown[number - 1]
        boxes = _areas(mask, place)
        if boxes:
            unexplained = _areas(_without(mask, place, foreseen.get(number, ())), place)
            signed, received = None, None
            if with_pictures:
                # What was there before is outlined too: something may have been covered or taken away.
                signed, received = (_png(picture, place, boxes, unexplained) for picture in (one, other))
            yield PageDifference(number, boxes, unexplained, signed, received)


def _seen_by_poppler(
    files: tuple[BinaryIO, BinaryIO], pages: Sequence[int], before: int, after: int
) -> dict[int, Image.Image]:
    """Return what poppler finds changed on pages that both files have; nothing where it is missing."""
    common = [page for page in pages if page <= min(before, after)]
    if not common:
        return {}
    signed = poppler.draw(files[0], common[0], common[-1], LONGER_SIDE)
    if signed is None:
        # Not installed, or this file is beyond it; then it is no judge of the second either.
        return {}
    received = poppler.draw(files[1], common[0], common[-1], LONGER_SIDE)
    if received is None:
        raise PdfRefused(PdfFault.DAMAGED)
    return {page: _mask(one, other) for page, one, other in zip(common, signed, received, strict=True)}


def _drawn(document: PdfDocument, number: int) -> Image.Image | None:
    if number > len(document):
        return None
    page = document[number - 1]
    return page.render(scale=_scale(page), draw_annots=True).to_pil()


def _scale(page: PdfPage) -> float:
    return LONGER_SIDE / max(*page.get_size(), 1.0)


def _mask(one: Image.Image | None, other: Image.Image | None) -> Image.Image:
    """Return a picture of what changed: white where the two differ, all of it where one is missing or of other size."""
    there = [picture for picture in (one, other) if picture is not None]
    if len({picture.size for picture in there}) != 1 or len(there) == 1:
        return Image.new("L", there[0].size, 255)
    difference = ImageChops.difference(*there)
    strongest = difference.split()[0]
    for band in difference.split()[1:]:
        strongest = ImageChops.lighter(strongest, band)
    return strongest.point([0] * _SEEN + [255] * (256 - _SEEN))


def _without(mask: Image.Image, page: PdfPage, boxes: Sequence[Box]) -> Image.Image:
    left = mask.copy()
    pen = ImageDraw.Draw(left)
    for box in boxes:
        corners = [_position(page, mask).to_bitmap(*corner) for corner in (box[:2], box[2:])]
        xs, ys = zip(*corners, strict=True)
        pen.rectangle((min(xs) - _SPREAD, min(ys) - _SPREAD, max(xs) + _SPREAD, max(ys) + _SPREAD), fill=0)
    return left


def _areas(mask: Image.Image, page: PdfPage) -> tuple[Box, ...]:
    """Return the areas of the mask that are white, in user space; one around all when they are many."""
    found = list(_groups(_cells(mask)))
    if len(found) > _MOST_AREAS:
        found = [set().union(*found)]
    return tuple(_in_user_space(_tight(mask, group), mask, page) for group in found)


def _cells(mask: Image.Image) -> set[tuple[int, int]]:
    """Return which squares of a grid over the mask hold anything white."""
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    return {
        (column, row)
        for row in range(top // _CELL, -(-bottom // _CELL))
        for column in range(left // _CELL, -(-right // _CELL))
        if mask.crop((column * _CELL, row * _CELL, (column + 1) * _CELL, (row + 1) * _CELL)).getbbox()
    }


def _groups(cells: set[tuple[int, int]]) -> Iterator[set[tuple[int, int]]]:
    """Yield the squares that touch each other together, from top to bottom."""
    left = set(cells)
    for first in sorted(cells, key=lambda cell: (cell[1], cell[0])):
        if first not in left:
            continue
        group, waiting = set(), [first]
        left.discard(first)
        while waiting:
            column, row = waiting.pop()
            group.add((column, row))
            near = {(column + x, row + y) for x in (-1, 0, 1) for y in (-1, 0, 1)} & left
            left -= near
            waiting.extend(near)
        yield group


def _tight(mask: Image.Image, group: set[tuple[int, int]]) -> tuple[int, int, int, int]:
    left, top = min(column for column, _ in group) * _CELL, min(row for _, row in group) * _CELL
    right, bottom = (max(column for column, _ in group) + 1) * _CELL, (max(row for _, row in group) + 1) * _CELL
    inner = mask.crop((left, top, right, bottom)).getbbox() or (0, 0, right - left, bottom - top)
    return left + inner[0], top + inner[1], left + inner[2], top + inner[3]


def _in_user_space(pixels: tuple[int, int, int, int], mask: Image.Image, page: PdfPage) -> Box:
    position = _position(page, mask)
    corners = [position.to_page(*corner) for corner in (pixels[:2], pixels[2:])]
    xs, ys = zip(*corners, strict=True)
    return float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))


def _position(page: PdfPage, mask: Image.Image) -> PdfPosConv:
    return PdfPosConv(page, (0, 0, mask.width, mask.height, 0))


def _png(picture: Image.Image | None, page: PdfPage, boxes: Sequence[Box], unexplained: Sequence[Box]) -> bytes | None:
    """Return the picture of a page with its changed areas outlined, those that nothing explains in red."""
    if picture is None:
        return None
    pen = ImageDraw.Draw(picture)
    for colour, width, areas in ((_FORESEEN, 2, boxes), (_UNEXPLAINED, 4, unexplained)):
        for box in areas:
            corners = [_position(page, picture).to_bitmap(*corner) for corner in (box[:2], box[2:])]
            xs, ys = zip(*corners, strict=True)
            rectangle = (min(xs) - _AROUND, min(ys) - _AROUND, max(xs) + _AROUND, max(ys) + _AROUND)
            pen.rectangle(rectangle, outline=colour, width=width)
    output = BytesIO()
    # Fewer colours are a fifth of the bytes, and nobody reads a paper by its shades here.
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(output, "PNG")
    return output.getvalue()
