"""Preparing a signature, in the limited process."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import IO

from app.documents.sandbox_frame import Facts
from pki.pades.appearance import Mark
from pki.pades.geometry import page_geometries
from pki.pades.placement import Corner, place
from pki.pades.prepare import prepare


def prepare_marked(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Work out where the mark stands, prepare, and write the prepared file."""
    pdf = source.read()
    placement = place(
        page_geometries(pdf),
        page=facts["page"],
        corner=Corner(facts["corner"]),
        x_mm=facts["x_mm"],
        y_mm=facts["y_mm"],
        width_mm=facts["width_mm"],
        height_mm=facts["height_mm"],
    )
    prepared = prepare(
        pdf,
        certificate_der=base64.b64decode(facts["certificate"]),
        now=datetime.fromisoformat(facts["now"]),
        mark=Mark(tuple(facts["lines"])),
        placement=placement,
        signer_name=facts["signer_name"],
        reason=facts["reason"],
    )
    output.write(prepared.prepared_pdf)
    return {"prepared": prepared.to_json()}
