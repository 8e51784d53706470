"""Which fields of a document are still open (empty, and closed by nobody's signature), and where each is seen."""

from __future__ import annotations

from typing import IO

from pyhanko.pdf_utils.reader import PdfFileReader

from pki.errors import PdfRefused
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.fields import fields_of
from pki.pades.later_changes import visible_fields
from pki.pades.locks import refuse_closed
from pki.pades.placement import Placement


def open_fields(base: IO[bytes]) -> frozenset[str]:
    """Return the full names of the fields of a PDF that may still be signed or filled. Raises PdfRefused(DAMAGED)."""
    with refusing(PdfFault.DAMAGED):
        reader = PdfFileReader(base, strict=False)
        return frozenset(one.name for one in fields_of(reader) if not one.is_filled and _is_open(reader, one.name))


def _is_open(reader: PdfFileReader, name: str) -> bool:
    try:
        refuse_closed(reader, name)
    except PdfRefused:
        return False
    return True


def places_of(base: IO[bytes]) -> dict[str, Placement]:
    """Return where each field with an area on a page is to be seen, by its full name. Raises PdfRefused(DAMAGED)."""
    with refusing(PdfFault.DAMAGED):
        found = visible_fields(PdfFileReader(base, strict=False), None)
        return {one.name: Placement(one.page, one.box) for one in found if one.page is not None}
