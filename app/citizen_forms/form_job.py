"""Taking forms in and filling them in, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.forms.fields import FormField, take_in
from pki.forms.filling import fill
from pki.pades.geometry import page_geometries
from pki.pades.placement import POINTS_PER_MM


def take_form_in(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the cleaned form, and return its fields and where the signature stands, in millimetres from top left."""
    del facts
    found = take_in(source, output)
    place = None
    if found.signature is not None:
        output.seek(0)
        geometry = page_geometries(output.read())[found.signature.page - 1]
        unit = geometry.user_unit / POINTS_PER_MM
        left, _bottom, _right, top = found.signature.rectangle
        place = {
            "page": found.signature.page,
            "x_mm": round(max(0.0, left - geometry.box[0]) * unit, 1),
            "y_mm": round(max(0.0, geometry.box[3] - top) * unit, 1),
        }
    return {"pages": found.pages, "fields": [one.to_json() for one in found.fields], "signature": place}


def fill_form_in(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the form with the values, and return the names of those that do not fit or cannot be drawn."""
    fields = {one.name: one for one in (FormField.from_json(row) for row in facts["fields"])}
    filled = fill(source, output, fields, facts["values"])
    return {"too_long": list(filled.too_long), "unreadable": list(filled.unreadable)}
