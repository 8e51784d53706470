"""Sizes and turns of the pages of a PDF, inherited values included."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import IO, Any, BinaryIO, Final, cast

import pikepdf
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.rw_common import PdfHandler

from pki.errors import PdfRefused
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.placement import PageGeometry, Rectangle

_DEEPEST: Final = 200


def page_geometries(pdf: bytes | IO[bytes]) -> tuple[PageGeometry, ...]:
    """Return the geometry of every page in order. Raises PdfRefused(DAMAGED)."""
    stream = BytesIO(pdf) if isinstance(pdf, bytes) else pdf
    stream.seek(0)
    with refusing(PdfFault.DAMAGED), pikepdf.open(cast(BinaryIO, stream)) as opened:
        return tuple(_geometry(page) for page in opened.pages)


def page_geometry(pdf: PdfHandler, page: int) -> PageGeometry:
    """Return the geometry of one page (from 1) of an open file. Raises PdfRefused(MARK_OUTSIDE_PAGE): no such page."""
    if not 1 <= page <= int(pdf.root["/Pages"]["/Count"]):
        raise PdfRefused(PdfFault.MARK_OUTSIDE_PAGE)
    return geometry_of(pdf.find_page_for_modification(page - 1)[0].get_object())


def geometry_of(page: DictionaryObject) -> PageGeometry:
    """Return the geometry of a page that is open in pyHanko; what it lacks is looked up in the tree above it."""
    media = _inherited(page, "/MediaBox")
    if media is None:
        raise PdfRefused(PdfFault.DAMAGED)
    crop, rotation = _inherited(page, "/CropBox"), _inherited(page, "/Rotate")
    box = _visible(_ordered(media), _ordered(crop if crop is not None else media))
    turn = int(rotation) if rotation is not None else 0
    return PageGeometry(box, turn % 360 // 90 * 90, float(page["/UserUnit"]) if "/UserUnit" in page else 1.0)


def _inherited(page: DictionaryObject, key: str) -> Any:
    node = page
    for _ in range(_DEEPEST):
        if key in node:
            return node[key]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    raise PdfRefused(PdfFault.DAMAGED)


def _geometry(page: pikepdf.Page) -> PageGeometry:
    box = _visible(_ordered(page.mediabox.as_list()), _ordered(page.cropbox.as_list()))
    # qpdf has moved what a page inherits from the tree onto the page itself.
    rotation = int(page.obj.get("/Rotate", 0)) % 360 // 90 * 90
    return PageGeometry(box, rotation, float(page.obj.get("/UserUnit", 1)))


def _visible(media: Rectangle, crop: Rectangle) -> Rectangle:
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return box if box[0] < box[2] and box[1] < box[3] else media


def _ordered(array: Iterable[object]) -> Rectangle:
    """Return left, bottom, right, top: the standard lets a file name any two opposite corners."""
    x0, y0, x1, y1 = (float(value) for value in array)  # type: ignore[arg-type]  # numbers of either library
    return (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
