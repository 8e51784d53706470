"""Sizes and turns of the pages of a PDF, inherited values included."""

from __future__ import annotations

from io import BytesIO

import pikepdf

from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.placement import PageGeometry, Rectangle


def page_geometries(pdf: bytes) -> tuple[PageGeometry, ...]:
    """Return the geometry of every page in order. Raises PdfRefused(DAMAGED)."""
    with refusing(PdfFault.DAMAGED), pikepdf.open(BytesIO(pdf)) as opened:
        return tuple(_geometry(page) for page in opened.pages)


def _geometry(page: pikepdf.Page) -> PageGeometry:
    media, crop = _ordered(page.mediabox), _ordered(page.cropbox)
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    if box[0] >= box[2] or box[1] >= box[3]:
        box = media
    # qpdf has moved what a page inherits from the tree onto the page itself.
    rotation = int(page.obj.get("/Rotate", 0)) % 360 // 90 * 90
    return PageGeometry(box, rotation, float(page.obj.get("/UserUnit", 1)))


def _ordered(array: pikepdf.Array) -> Rectangle:
    """Return left, bottom, right, top: the standard lets a file name any two opposite corners."""
    x0, y0, x1, y1 = (float(value) for value in array.as_list())
    return (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
