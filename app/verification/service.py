"""Checking a PDF with the city's own roots and lists, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.certificates import service as certificates
from app.documents import sandbox
from app.verification import check_job
from pki.pades.report import Changes, Reason, Report, SignatureReport, TimeProof, Verdict


@dataclass(frozen=True)
class Evidence:
    """What the house knows and a check needs: roots, authorities below them, the newest revocation lists; all DER."""

    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...]
    crls: tuple[bytes, ...]


def evidence(session: Session) -> Evidence:
    """Return what is trusted and known now."""
    roots, intermediates = certificates.trust_material(session)
    return Evidence(roots, intermediates, certificates.status_evidence(session))


def check(pdf: bytes, evidence: Evidence, *, now: datetime) -> Report:
    """Return what the signatures of `pdf` are worth. Raises PdfRefused for a file that cannot be read at all."""
    facts, _ = sandbox.run(
        check_job.check,
        {
            "roots": _encoded(evidence.roots),
            "intermediates": _encoded(evidence.intermediates),
            "crls": _encoded(evidence.crls),
            "now": now.isoformat(),
        },
        pdf,
    )
    return _read_report(facts)


def _encoded(many: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in many]


def _read_report(facts: Mapping[str, Any]) -> Report:
    return Report(
        verdict=Verdict(facts["verdict"]),
        reason=Reason(facts["reason"]),
        signatures=tuple(_read_signature(one) for one in facts["signatures"]),
        lenient=bool(facts["lenient"]),
    )


def _read_signature(facts: Mapping[str, Any]) -> SignatureReport:
    return SignatureReport(
        field_name=facts["field"],
        verdict=Verdict(facts["verdict"]),
        reason=Reason(facts["reason"]),
        signer=facts["signer"],
        organisation=facts["organisation"],
        title=facts["title"],
        issuer=facts["issuer"],
        serial_hex=facts["serial"],
        certificate_sha256=facts["certificate_sha256"],
        claimed_at=_read_moment(facts["claimed_at"]),
        proven_at=_read_moment(facts["proven_at"]),
        time_proof=TimeProof(facts["time_proof"]),
        covers_whole_file=bool(facts["covers_whole_file"]),
        changes_after=Changes[facts["changes_after"].upper()],
        revoked_at=_read_moment(facts["revoked_at"]),
        revocation_reason=facts["revocation_reason"],
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
