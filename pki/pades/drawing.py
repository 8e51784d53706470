"""Putting a mark onto a field: its appearance is a page drawn elsewhere, taken over as it is (ISO 32000-1, 12.5.5).

Object by object: pyHanko would read back what qpdf wrote, which took as long as all the rest of a visible signature.
"""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Final

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from pki.pades.drawn import Drawn
from pki.pades.placement import PageGeometry, Rectangle

_FLATE: Final = pdf_name("/FlateDecode")
_WRITTEN_ANEW: Final = frozenset({"/Length", "/Filter", "/DecodeParms"})


def draw(
    writer: IncrementalPdfFileWriter,
    widget: generic.DictionaryObject,
    mark: Drawn,
    page: PageGeometry,
    rectangle: Rectangle,
) -> None:
    """Give the widget the normal appearance `mark`, upright on its page. Raises PdfRefused(MARK_UNREADABLE)."""
    left, bottom, right, top = rectangle
    width, height = right - left, top - bottom
    with pikepdf.new() as pdf:
        mark.compose(pdf, width=width, height=height, rotation=page.rotation, user_unit=page.user_unit)
        drawn = pdf.pages[0].obj
        form = _stream(drawn.Contents.read_bytes())
        form[pdf_name("/Type")], form[pdf_name("/Subtype")] = pdf_name("/XObject"), pdf_name("/Form")
        form[pdf_name("/BBox")] = generic.ArrayObject(map(generic.FloatObject, (0, 0, width, height)))
        form[pdf_name("/Resources")] = _Taking(writer).value(drawn.get("/Resources", pikepdf.Dictionary()))
    widget["/AP"] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)})


class _Taking:
    """Takes objects of a drawing into a file that grows, each indirect one once."""

    def __init__(self, writer: IncrementalPdfFileWriter) -> None:
        self._writer = writer
        self._taken: dict[tuple[int, int], generic.IndirectObject] = {}

    def value(self, found: pikepdf.Object | int | Decimal) -> generic.PdfObject:
        """Return what stands for `found` in the other file. A drawing of ours has no circles."""
        if not isinstance(found, pikepdf.Object):
            return generic.NumberObject(found) if isinstance(found, int) else generic.FloatObject(found)
        if not found.is_indirect:
            return self._direct(found)
        if found.objgen not in self._taken:
            self._taken[found.objgen] = self._writer.add_object(self._direct(found))
        return self._taken[found.objgen]

    def _direct(self, found: pikepdf.Object) -> generic.PdfObject:
        match found:
            case pikepdf.Stream():
                made = _stream(found.read_bytes())
                made.update(self._entries(found))
                return made
            case pikepdf.Dictionary():
                return generic.DictionaryObject(self._entries(found))
            case pikepdf.Array():
                return generic.ArrayObject(map(self.value, found))
            case pikepdf.Name():
                return pdf_name(str(found))
            case _:
                return generic.ByteStringObject(bytes(found))

    def _entries(self, found: pikepdf.Object) -> dict[generic.NameObject, generic.PdfObject]:
        return {pdf_name(key): self.value(value) for key, value in found.items() if key not in _WRITTEN_ANEW}


def _stream(content: bytes) -> generic.StreamObject:
    return generic.StreamObject({pdf_name("/Filter"): _FLATE}, encoded_data=zlib.compress(content))
