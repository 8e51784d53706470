"""Preparing in the limited process: where the mark stands is worked out there, since that opens the file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.documents import sandbox
from app.signing import preparation_job
from pki.errors import PdfRefused
from pki.pades.appearance import Mark
from pki.pades.cms import signed_attributes
from pki.pades.faults import PdfFault
from pki.pades.placement import Corner
from pki.pades.prepare import PreparedSignature

# The size of our mark on paper; the browser draws the same rectangle.
MARK_WIDTH_MM: Final = 66.0
MARK_HEIGHT_MM: Final = 22.0


@dataclass(frozen=True)
class Place:
    """Where the reader wants the mark: a page (from 1), a corner of it as shown, and millimetres inwards."""

    page: int
    corner: Corner
    x_mm: float
    y_mm: float


def prepare_limited(
    pdf: bytes,
    *,
    certificate_der: bytes,
    now: datetime,
    mark: Mark,
    place: Place,
    signer_name: str,
    reason: str | None,
) -> PreparedSignature:
    """Return the prepared file and what must be signed. Raises PdfRefused."""
    facts, output = sandbox.run(
        preparation_job.prepare_marked,
        {
            "certificate": base64.b64encode(certificate_der).decode(),
            "now": now.isoformat(),
            "lines": list(mark.lines),
            "page": place.page,
            "corner": place.corner,
            "x_mm": place.x_mm,
            "y_mm": place.y_mm,
            "width_mm": MARK_WIDTH_MM,
            "height_mm": MARK_HEIGHT_MM,
            "signer_name": signer_name,
            "reason": reason,
        },
        pdf,
    )
    with output:
        prepared = PreparedSignature.from_json(facts["prepared"], output.read())
    # The child has read a stranger's file: what it says is signed is worked out again here.
    if prepared.signed_attributes_der != signed_attributes(prepared.document_digest, certificate_der):
        raise PdfRefused(PdfFault.BYTE_RANGE)
    return prepared
