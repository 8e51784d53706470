"""Making the fields of a document that starts on its route, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.layout.plan import Signer, plan_fields
from pki.pades.fields import create_fields
from pki.pades.geometry import page_geometries


def make_fields(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the update that makes the fields; nothing where none has a place."""
    specs = plan_fields(
        source,
        page_geometries(source),
        heads=[Signer(name, person) for name, person in facts["heads"]],
        initials=facts["initials"],
        seal_diameter_mm=facts["seal_mm"],
    )
    if specs:
        output.write(create_fields(source, specs))
    return {"fields": [spec.name for spec in specs]}
