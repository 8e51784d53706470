"""Checking a PDF, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import IO

from app.documents.sandbox_frame import Facts
from pki.chains import TrustStore
from pki.pades import proofs
from pki.pades.page_check import with_pages_compared
from pki.pades.report import Verdict
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence


def check(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return the report as plain values, with the pages that changed, and their pictures if `with_pictures` says so."""
    del output
    pdf = source.read()
    report = verify(
        pdf,
        trust=TrustStore(_decoded(facts["roots"]), _decoded(facts["intermediates"])),
        evidence=StatusEvidence(_decoded(facts["crls"]), _decoded(facts["ocsps"])),
        now=datetime.fromisoformat(facts["now"]),
    )
    compared = with_pages_compared(report, pdf, with_pictures=bool(facts["with_pictures"]))
    if compared.verdict is Verdict.VALID:
        compared = replace(compared, holds_until=proofs.read(source).holds_until)
    return compared.to_json()


def _decoded(many: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(one) for one in many)
