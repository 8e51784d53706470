"""Putting a mark onto a field: its appearance is a page drawn elsewhere, imported as it is (ISO 32000-1, 12.5.5)."""

from __future__ import annotations

from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from pki.pades.appearance import Drawn
from pki.pades.placement import PageGeometry, Rectangle


def draw(
    writer: IncrementalPdfFileWriter,
    widget: generic.DictionaryObject,
    mark: Drawn,
    page: PageGeometry,
    rectangle: Rectangle,
) -> None:
    """Give the widget the normal appearance `mark`, upright on its page. Raises PdfRefused(MARK_UNREADABLE)."""
    left, bottom, right, top = rectangle
    drawn = mark.render(width=right - left, height=top - bottom, rotation=page.rotation, user_unit=page.user_unit)
    form = writer.import_page_as_xobject(PdfFileReader(BytesIO(drawn)))
    widget["/AP"] = generic.DictionaryObject({pdf_name("/N"): form})
