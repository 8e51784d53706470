"""Filling in what is filled at issue and preparing the seal's signature, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date, datetime
from typing import IO, Any, Final

from app.documents.sandbox_frame import Facts
from pki.claim_mark import QrMark
from pki.errors import PdfRefused
from pki.layout.blanks import date_blank, number_blank
from pki.layout.plan import attachment_place
from pki.layout.slots import date_in
from pki.layout.words import lines_of
from pki.pades.drawn import Drawn
from pki.pades.faults import PdfFault
from pki.pades.fields import CODE, DATE, NUMBER, SEAL, FieldValue, Lock
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import open_fields
from pki.pades.picture import PictureMark
from pki.pades.placement import Corner, PageGeometry, Placement, place
from pki.pades.plain_text import Ink, PlainText
from pki.pades.prepare import prepare

# Of a seal where the document has no place for it, from the edges of the page: clear of the code at the foot.
_FROM_EDGE_MM: Final = (30.0, 34.0)
_SIZE_MM: Final = 36.0
_ATTACHMENT_SIZE_PT: Final = 10.0


def prepare_seal(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write what follows the source: one update with the filled fields and the seal's empty signature."""
    fields = open_fields(source)
    values = _values(facts, source, fields)
    in_place = SEAL in fields
    prepared = prepare(
        source,
        certificate_der=base64.b64decode(facts["certificate"]),
        now=datetime.fromisoformat(facts["now"]),
        field_name=SEAL,
        mark=_mark(facts),
        placement=None if in_place else _placement(facts, source),
        lock=Lock.ALL,
        signer_name=facts["agency"],
        values=values,
    )
    output.write(prepared.appended)
    return {"prepared": prepared.to_json()}


def _values(facts: Facts, source: IO[bytes], fields: frozenset[str]) -> Mapping[str, FieldValue]:
    """Return what to fill in, by the fields that the document has for it."""
    if not facts["is_main"]:
        return {}
    geometry = page_geometries(source)[0]
    lines, height = lines_of(source, 1, geometry), geometry.shown_size_mm[1]
    number, blank = number_blank(lines, height), date_blank(lines, height)
    # Where the symbol is printed on the paper, only the number is put before it.
    shown = facts["label"] if number is None or number.takes_symbol else facts["label"].partition("/")[0]
    issued_on: Drawn = PlainText((facts["date"],))
    if blank is not None:
        issued_on = date_in(blank, date.fromisoformat(facts["issued_on"]))
    wanted = {
        NUMBER: FieldValue(facts["label"], PlainText((shown,), centred=shown != facts["label"])),
        DATE: FieldValue(facts["date"], issued_on),
    }
    if facts["code"] is not None:
        address, digits = facts["code"]
        wanted[CODE] = FieldValue(digits, QrMark(address, digits))
    return {name: value for name, value in wanted.items() if name in fields}


def _mark(facts: Facts) -> Drawn:
    """Return the seal in its true size; an attachment shows no picture (Decree 30/2020, Annex I)."""
    lines, diameter = tuple(facts["lines"]), facts["diameter_mm"]
    if facts["picture"] is not None:
        return PictureMark(base64.b64decode(facts["picture"]), (diameter, diameter))
    if facts["is_main"]:
        return PlainText(lines, ink=Ink.RED, bold=True, centred=True)
    return PlainText(lines, size_pt=_ATTACHMENT_SIZE_PT)


def _placement(facts: Facts, source: IO[bytes]) -> Placement:
    pages = page_geometries(source)
    if not facts["is_main"]:
        return _above(source, pages, len(facts["lines"]))
    wanted: dict[str, Any] = facts["place"]
    return place(
        pages,
        page=wanted["page"] or len(pages),
        corner=Corner(wanted["corner"]),
        x_mm=_FROM_EDGE_MM[0],
        y_mm=_FROM_EDGE_MM[1],
        width_mm=facts["diameter_mm"] or _SIZE_MM,
        height_mm=facts["diameter_mm"] or _SIZE_MM,
    )


def _above(source: IO[bytes], pages: tuple[PageGeometry, ...], lines: int) -> Placement:
    """Return the place of an attachment's seal, which stands in words. Raises PdfRefused where none is empty."""
    box = attachment_place(source, pages[0], lines=lines)
    if box is None:
        raise PdfRefused(PdfFault.MARK_COVERS_CONTENT)
    left, bottom, right, top = box
    return place(
        pages,
        page=1,
        corner=Corner.BOTTOM_LEFT,
        x_mm=left,
        y_mm=bottom,
        width_mm=right - left,
        height_mm=top - bottom,
    )
