"""Measuring a paper by Decree 30/2020, in the limited process."""

from __future__ import annotations

from dataclasses import asdict
from typing import IO

from app.documents.sandbox_frame import Facts
from pki.layout.plan import Signer
from pki.layout.survey import survey, survey_attachment
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import places_of


def measure(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return what the paper breaks, each as the fields of `Finding`."""
    del output
    pages, places = page_geometries(source), places_of(source)
    if not facts["is_main"]:
        found = survey_attachment(source, pages, places)
    else:
        heads = [Signer(name, person) for name, person in facts["heads"]]
        found = survey(source, pages, heads=heads, seal_diameter_mm=facts["seal_mm"], places=places)
    return {"findings": [asdict(one) for one in found]}
