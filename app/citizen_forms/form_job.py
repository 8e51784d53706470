"""Taking forms in and filling them in, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.forms.fields import FormField, take_in
from pki.forms.filling import fill


def take_form_in(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the cleaned form, and return what it asks."""
    del facts
    return take_in(source, output).to_json()


def fill_form_in(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the form with the values, and return the names of those that do not fit or cannot be drawn."""
    fields = {one.name: one for one in (FormField.from_json(row) for row in facts["fields"])}
    filled = fill(source, output, fields, facts["values"])
    return {"too_long": list(filled.too_long), "unreadable": list(filled.unreadable)}
