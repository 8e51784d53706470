"""Preparing in the limited process: where the mark stands is worked out there, since that opens the file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.documents import sandbox
from app.signing import preparation_job
from pki.errors import PdfRefused
from pki.layout.rules import Length, Measure
from pki.pades.appearance import Mark
from pki.pades.cms import signed_attributes
from pki.pades.faults import PdfFault
from pki.pades.placement import Corner
from pki.pades.prepare import PreparedSignature

# The size of our mark on paper; the browser draws the same rectangle.
MARK_WIDTH_MM: Final = 66.0
MARK_HEIGHT_MM: Final = 22.0
# Octets for the CMS object: the certificate, its authority's, and a token of our own unit take some four thousand.
ROOM: Final = 8192


@dataclass(frozen=True)
class Place:
    """Where the reader wants the mark: a page (from 1), a corner of it as shown, and millimetres inwards."""

    page: int
    corner: Corner
    x_mm: float
    y_mm: float


def prepare_limited(
    path: Path,
    *,
    certificate_der: bytes,
    now: datetime,
    mark: Mark,
    place: Place,
    signer_name: str,
    reason: str | None,
    field_name: str | None = None,
    is_head: bool = False,
    other_heads: Sequence[str] = (),
    picture: bytes | None = None,
) -> tuple[PreparedSignature, int, Sequence[Measure]]:
    """Return what follows the file when it is prepared, the page of the mark, and what measures a head's own place.

    A field of the name `field_name` that is in the file already has its own place and lock. The signature of a head
    closes everything but what comes when the document is issued and the fields of `other_heads`. `picture` is the
    signer's handwritten signature, a PNG: alone in a head's own place, beside the text anywhere else.

    Raises PdfRefused.
    """
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
            "room": ROOM,
            "field": field_name,
            "is_head": is_head,
            "other_heads": list(other_heads),
            "picture": base64.b64encode(picture).decode() if picture is not None else None,
        },
        path,
    )
    with output, path.open("rb") as base:
        prepared = PreparedSignature.from_json(facts["prepared"], base, output.read())
    # The child has read a stranger's file: what it says is signed is worked out again here.
    if prepared.signed_attributes_der != signed_attributes(prepared.document_digest, certificate_der):
        raise PdfRefused(PdfFault.BYTE_RANGE)
    try:
        ruler = [Measure(Length(name), (x0, y0), (x1, y1)) for name, x0, y0, x1, y1 in facts["ruler"]]
    except (TypeError, ValueError) as error:
        raise PdfRefused(PdfFault.TOO_COMPLEX) from error
    return prepared, int(facts["page"]), ruler
