"""Proposing a place for the mark on a paper that has none of its own for it."""

from __future__ import annotations

from pathlib import Path

from app.documents import sandbox
from app.signing import proposal_job
from app.signing.preparation import MARK_HEIGHT_MM, MARK_WIDTH_MM, Place
from pki.errors import PdfRefused
from pki.pades.placement import Corner


def propose(path: Path, *, signer: str) -> Place | None:
    """Return the place between the post and the name of the signer; None where there is none, or no room.

    It is a proposal: the reader moves it, and what is signed is prepared from what the reader chose.
    """
    facts = {"signer": signer, "width_mm": MARK_WIDTH_MM, "height_mm": MARK_HEIGHT_MM}
    try:
        found, output = sandbox.run(proposal_job.propose, facts, path)
    except PdfRefused:
        return None
    output.close()
    if found["place"] is None:
        return None
    page, left, bottom = found["place"]
    return Place(int(page), Corner.BOTTOM_LEFT, float(round(left)), float(round(bottom)))
