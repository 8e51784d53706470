"""What an owner should look at before anyone signs: layers that are off, notes over text, files inside the file."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import IO, Final

import pikepdf
import pypdfium2

from pki.pades.intake_notices import Notice
from pki.pades.overlap import overlap
from pki.pades.placement import Rectangle

# Annotations that may be opaque; a highlight, a link or the sign of a comment hides nothing.
_COVERING: Final = frozenset({"/FreeText", "/Stamp", "/Redact", "/Watermark"})
_COVERING_WHEN_FILLED: Final = frozenset({"/Square", "/Circle", "/Polygon", "/PolyLine", "/Line"})
# Bits of /F (ISO 32000-2, table 167): invisible, hidden, not shown on a screen.
_UNSEEN: Final = 0b100011
_MOST_PAGES: Final = 50
_MOST_ON_A_PAGE: Final = 200
_MOST_TEXT_BOXES: Final = 20_000


def warnings(pdf: pikepdf.Pdf, source: IO[bytes]) -> frozenset[Notice]:
    """Return what to look at in an open file; `source` holds the same file for pdfium."""
    found = set()
    if _has_layers_off(pdf):
        found.add(Notice.LAYERS_OFF)
    if _has_attachments(pdf):
        found.add(Notice.FILES_ATTACHED)
    if _text_is_covered(pdf, source):
        found.add(Notice.ANNOTATIONS_COVER)
    return frozenset(found)


def _has_layers_off(pdf: pikepdf.Pdf) -> bool:
    layers = pdf.Root.get("/OCProperties")
    usual = layers.get("/D") if isinstance(layers, pikepdf.Dictionary) else None
    if not isinstance(usual, pikepdf.Dictionary):
        return False
    off = usual.get("/OFF")
    return str(usual.get("/BaseState", "")) == "/OFF" or (isinstance(off, pikepdf.Array) and len(off) > 0)


def _has_attachments(pdf: pikepdf.Pdf) -> bool:
    names = pdf.Root.get("/Names")
    return (isinstance(names, pikepdf.Dictionary) and "/EmbeddedFiles" in names) or "/AF" in pdf.Root


def _text_is_covered(pdf: pikepdf.Pdf, source: IO[bytes]) -> bool:
    """Say whether an annotation that may be opaque lies over text, on the first 50 pages that have such ones."""
    pages = ((number, list(islice(_covering(page), _MOST_ON_A_PAGE))) for number, page in enumerate(pdf.pages))
    suspicious = list(islice(((number, boxes) for number, boxes in pages if boxes), _MOST_PAGES))
    if not suspicious:
        return False
    source.seek(0)
    with pypdfium2.PdfDocument(source) as document:
        return any(_covers_text(document, number, boxes) for number, boxes in suspicious)


def _covers_text(document: pypdfium2.PdfDocument, number: int, boxes: list[Rectangle]) -> bool:
    page = document[number]
    text = page.get_textpage()
    count = min(text.count_rects(), _MOST_TEXT_BOXES)
    found = any(overlap(text.get_rect(index), box) for index in range(count) for box in boxes)
    text.close()
    page.close()
    return found


def _covering(page: pikepdf.Page) -> Iterator[Rectangle]:
    annotations = page.obj.get("/Annots")
    for one in annotations.as_list() if isinstance(annotations, pikepdf.Array) else ():
        if not isinstance(one, pikepdf.Dictionary):
            continue
        kind, flags, box = str(one.get("/Subtype", "")), one.get("/F", 0), _box(one.get("/Rect"))
        if box is None or (isinstance(flags, int) and flags & _UNSEEN):
            continue
        if kind in _COVERING or (kind in _COVERING_WHEN_FILLED and "/IC" in one):
            yield box


def _box(rectangle: object) -> Rectangle | None:
    """Return left, bottom, right, top; None for what is no rectangle, which no program shows."""
    corners: list[object] = list(rectangle.as_list()) if isinstance(rectangle, pikepdf.Array) else []
    numbers = [float(one) for one in corners if isinstance(one, int | Decimal)]
    if len(corners) != 4 or len(numbers) != 4:
        return None
    x0, y0, x1, y1 = numbers
    return (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
