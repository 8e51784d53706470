"""Taking a PDF in, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.pades.intake import inspect, normalise


def accept(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return counts, and write the file to store: one without signatures is rewritten once, a signed one never."""
    pdf = source.read()
    found = inspect(pdf)
    output.write(pdf if found.signatures else normalise(pdf))
    return {**facts, "pages": len(found.pages), "signatures": len(found.signatures)}
