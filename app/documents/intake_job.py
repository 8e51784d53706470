"""Taking a PDF in, in the limited process."""

from __future__ import annotations

from typing import IO

from app.documents.sandbox_frame import Facts
from pki.pades.intake import take_in


def accept(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return what the file is; write the one to store, unless that is the source as it came."""
    taken = take_in(source, output, keep_fields=bool(facts["keep_fields"]))
    return {
        "pages": taken.pages,
        "signatures": len(taken.signatures),
        "rewritten": taken.rewritten,
        "notices": sorted(taken.notices),
    }
