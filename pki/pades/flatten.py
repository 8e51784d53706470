"""Fields of a form made part of the page, so that what is signed is what everybody sees.

pdfium draws what has no drawing (it knows more fonts than qpdf, which loses Vietnamese letters: measured), qpdf puts
the drawings onto the pages. Links, comments and everything else on a page stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Final, cast

import pikepdf
import pypdfium2
from PIL import Image, ImageChops

_WIDGET: Final = "/Widget"
# Pages that are drawn before and after, and how large (pixels of the longer side).
_MOST_COMPARED: Final = 30
_LONGEST_SIDE: Final = 900
# Of 255. Edges of letters that are drawn half a pixel beside differ by less in most points.
_CLEAR: Final = 96
# Share of the points of a page that may differ clearly.
_TOLERATED: Final = 0.0005


def has_fields(pdf: pikepdf.Pdf) -> bool:
    """Say whether a page of the file shows a field of a form."""
    return any(_is_widget(one) for page in pdf.pages for one in _annotations(page))


def flatten(pdf: bytes) -> bytes | None:
    """Return the file without fields, each page looking as before; None where that does not succeed.

    `pdf` carries no signature. Raises what qpdf and pdfium raise for a broken file.
    """
    with pikepdf.open(BytesIO(pdf)) as opened:
        shown = [number for number, page in enumerate(opened.pages) if any(map(_is_widget, _annotations(page)))]
        if _lacks_drawings(opened):
            drawn = _drawn(pdf, shown)
            with pikepdf.open(BytesIO(drawn)) as complete:
                made = _pressed(complete)
        else:
            made = _pressed(opened)
    return made if _look_the_same(pdf, made, shown[:_MOST_COMPARED]) else None


def _annotations(page: pikepdf.Page) -> list[pikepdf.Object]:
    found = page.obj.get("/Annots")
    if not isinstance(found, pikepdf.Array):
        return []
    return [one for one in found.as_list() if isinstance(one, pikepdf.Dictionary)]


def _is_widget(annotation: pikepdf.Object) -> bool:
    return str(annotation.get("/Subtype", "")) == _WIDGET


def _lacks_drawings(pdf: pikepdf.Pdf) -> bool:
    form = pdf.Root.get("/AcroForm", pikepdf.Dictionary())
    widgets = (one for page in pdf.pages for one in _annotations(page) if _is_widget(one))
    return bool(form.get("/NeedAppearances", False)) or any("/AP" not in one for one in widgets)


def _drawn(pdf: bytes, shown: Iterable[int]) -> bytes:
    """Return the file in which pdfium has drawn what the fields of these pages (from 0) hold."""
    output = BytesIO()
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        for number in shown:
            # Fields get their drawing when they are shown for the first time.
            _picture(document, number, longest=16)
        document.save(output)
    return output.getvalue()


def _pressed(pdf: pikepdf.Pdf) -> bytes:
    """Return the file with its fields on the pages and no form; other annotations are put aside meanwhile."""
    others = {number: _set_aside(page) for number, page in enumerate(pdf.pages)}
    form = pdf.Root.get("/AcroForm", pikepdf.Dictionary())
    if "/NeedAppearances" in form:
        # qpdf leaves the fields alone while their drawings are said to be stale.
        del form["/NeedAppearances"]
    # This takes the form away, too.
    pdf.flatten_annotations(mode="all")
    _put_back(pdf, others)
    output = BytesIO()
    pdf.save(output)
    return output.getvalue()


def _set_aside(page: pikepdf.Page) -> list[pikepdf.Object]:
    found = _annotations(page)
    if found:
        page.obj.Annots = pikepdf.Array([one for one in found if _is_widget(one)])
    return [one for one in found if not _is_widget(one)]


def _put_back(pdf: pikepdf.Pdf, others: Mapping[int, list[pikepdf.Object]]) -> None:
    for number, kept in others.items():
        page = pdf.pages[number].obj
        if kept:
            page.Annots = pikepdf.Array(kept)


def _look_the_same(before: bytes, after: bytes, shown: Iterable[int]) -> bool:
    with pypdfium2.PdfDocument(before) as one, pypdfium2.PdfDocument(after) as other:
        one.init_forms()
        return all(_differ_by(_picture(one, number), _picture(other, number)) <= _TOLERATED for number in shown)


def _differ_by(one: Image.Image, other: Image.Image) -> float:
    """Return the share of points that differ clearly; 1 for pictures of different sizes."""
    if one.size != other.size:
        return 1.0
    counts = ImageChops.difference(one, other).histogram()
    return sum(counts[_CLEAR:]) / (one.width * one.height)


def _picture(document: pypdfium2.PdfDocument, number: int, *, longest: int = _LONGEST_SIDE) -> Image.Image:
    page = document[number]
    picture = page.render(scale=longest / max(1.0, *page.get_size()), may_draw_forms=True).to_pil().convert("L")
    page.close()
    return cast(Image.Image, picture)
