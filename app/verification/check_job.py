"""Checking a PDF, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

from app.documents.sandbox_frame import Facts
from pki.chains import TrustStore
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence


def check(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    """Return the report as plain values."""
    report = verify(
        pdf,
        trust=TrustStore(_decoded(facts["roots"]), _decoded(facts["intermediates"])),
        evidence=StatusEvidence(_decoded(facts["crls"])),
        now=datetime.fromisoformat(facts["now"]),
    )
    return report.to_json(), b""


def _decoded(many: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(one) for one in many)
