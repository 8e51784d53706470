"""Checking whose signatures a paper carries, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import IO

from app.documents.sandbox_frame import Facts
from pki.chains import TrustStore
from pki.layout.printed_symbol import printed_symbol
from pki.layout.words import lines_of
from pki.pades.geometry import page_geometries
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence


def check(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return the verdict of the file and of each signature in it, with the digest of its certificate;
    and the symbol that stands printed on the paper, if any.
    """
    del output
    report = verify(
        source.read(),
        trust=TrustStore(_decoded(facts["roots"]), _decoded(facts["intermediates"])),
        evidence=StatusEvidence(_decoded(facts["crls"])),
        now=datetime.fromisoformat(facts["now"]),
    )
    geometry = page_geometries(source)[0]
    return {
        "symbol": printed_symbol(lines_of(source, 1, geometry), geometry.shown_size_mm[1]),
        "verdict": report.verdict.value,
        "signatures": [[one.certificate_sha256, one.verdict.value] for one in report.signatures],
    }


def _decoded(many: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(one) for one in many)
