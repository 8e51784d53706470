"""Making the fields of a document that starts on its route, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.layout.plan import Signer, plan_attachment, plan_fields
from pki.pades.fields import FieldSpec, create_fields
from pki.pades.geometry import page_geometries


def make_fields(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the update that makes the fields; nothing where none has a place."""
    specs = _planned(facts, source)
    if specs:
        output.write(create_fields(source, specs))
    return {"fields": [spec.name for spec in specs]}


def _planned(facts: Facts, source: IO[bytes]) -> list[FieldSpec]:
    pages = page_geometries(source)
    if not facts["is_main"]:
        return plan_attachment(source, pages)
    return plan_fields(
        source,
        pages,
        heads=[Signer(name, person) for name, person in facts["heads"]],
        initials=facts["initials"],
        seal_diameter_mm=facts["seal_mm"],
    )
