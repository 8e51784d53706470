"""Taking a PDF in, in the limited process."""

from __future__ import annotations

from app.documents.sandbox_frame import Facts
from pki.pades.intake import inspect, normalise


def accept(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    """Return counts and the file to store: one without signatures is rewritten once, a signed one never."""
    found = inspect(pdf)
    counts = {"pages": len(found.pages), "signatures": len(found.signatures)}
    return {**facts, **counts}, pdf if found.signatures else normalise(pdf)
