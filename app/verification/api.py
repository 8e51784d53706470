"""The check for programs: a PDF is sent as it is, the report comes back, nothing is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import IO, Annotated, Final, Self

from cryptography import x509
from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy.orm import Session

from app.certificates import service as certificates
from app.core.db import transaction
from app.core.errors import TooMany
from app.core.permissions import Permission
from app.core.throttle import may_pass
from app.interface.operations import Call, Operations
from app.interface.schemas import Strict
from app.verification import service, words
from app.verification.source import Source, sha256_of, source_of
from pki.errors import PdfRefused
from pki.pades import etsi_report
from pki.pades.faults import PdfFault
from pki.pades.report import PageDifference, ProofKind, Report, SignatureReport, TimeProof, Verdict

operations = Operations("verifications")
_A_MINUTE: Final = 60
Code = Annotated[str, Field(description="A stable word for the reason, as `ok`, `changed` or `untrusted`.")]


class ProofFacts(Strict):
    kind: ProofKind
    at: datetime


class SignatureFacts(Strict):
    field: str
    verdict: Verdict
    reason: Code
    indication: Annotated[str, Field(description="Main indication of EN 319 102-1.")]
    sub_indication: str | None
    signer: str
    organisation: str
    title: str
    issuer: str
    serial_hex: str
    certificate_sha256: str
    claimed_at: datetime | None
    time_proof: TimeProof
    proven_by: ProofFacts | None
    covers_whole_file: bool
    changes_after: Annotated[str, Field(description="none, proofs, signatures, form or other.")]
    revoked_at: datetime | None
    revocation_reason: str | None
    is_seal: bool
    not_before: Annotated[datetime | None, Field(description="From when the certificate is valid.")]
    not_after: Annotated[datetime | None, Field(description="Its last second.")]

    @classmethod
    def of(cls, report: Report, one: SignatureReport) -> Self:
        found = etsi_report.indication(report, one)
        return cls(
            field=one.field_name,
            verdict=one.verdict,
            reason=one.reason,
            indication=found.main.upper(),
            sub_indication=found.sub,
            signer=one.signer,
            organisation=one.organisation,
            title=one.title,
            issuer=one.issuer,
            serial_hex=one.serial_hex,
            certificate_sha256=one.certificate_sha256,
            claimed_at=one.claimed_at,
            time_proof=one.time_proof,
            proven_by=ProofFacts(kind=one.proven_by.kind, at=one.proven_by.at) if one.proven_by else None,
            covers_whole_file=one.covers_whole_file,
            changes_after=one.changes_after.name.lower(),
            revoked_at=one.revoked_at,
            revocation_reason=one.revocation_reason,
            is_seal=one.is_seal,
            not_before=one.not_before,
            not_after=one.not_after,
        )


class PageFacts(Strict):
    page: int
    boxes: Annotated[list[list[float]], Field(description="Areas that changed: x0, y0, x1, y1 in points.")]
    unexplained: Annotated[list[list[float]], Field(description="Those that no later signature explains.")]

    @classmethod
    def of(cls, one: PageDifference) -> Self:
        return cls(page=one.page, boxes=[[*box] for box in one.boxes], unexplained=[[*box] for box in one.unexplained])


class Verification(Strict):
    verdict: Annotated[Verdict, Field(description="The worst of the signatures and of the file around them.")]
    reason: Code
    checked_at: datetime
    sha256: Annotated[str, Field(description="Of the file as it was received.")]
    lenient: Annotated[bool, Field(description="The file does not keep to the rules of PDF everywhere.")]
    signatures: list[SignatureFacts]
    holds_until: Annotated[
        datetime | None, Field(description="Until when a valid file shows this by itself, if no proofs are added.")
    ]
    changed_pages: list[PageFacts]
    etsi_report: Annotated[str | None, Field(description="XML of ETSI TS 119 102-2; null without a signature.")]


@operations.add(
    "POST",
    "/verifications",
    Permission.CHECK_DOCUMENTS,
    "Check a PDF of up to 100 MB; nothing of it is kept",
    answer=Verification,
    file="application/pdf",
    on_disk=True,
    changes=False,
)
def check_document(call: Call, upload: IO[bytes]) -> Verification:
    with upload:
        _count(call)
        source = source_of(upload)
        try:
            evidence = service.wider_evidence(call.session, source, now=call.now)
            report = service.check(source, evidence, now=call.now)
        except PdfRefused as error:
            raise words.refusal(PdfFault(error.fault)) from error
        return described(call.session, report, source, now=call.now)


def described(session: Session, report: Report, pdf: Source, *, now: datetime) -> Verification:
    """Return a report as it is sent to programs, and kept by people who fetch it from the page."""
    digest = sha256_of(pdf)
    return Verification(
        verdict=report.verdict,
        reason=report.reason,
        checked_at=now,
        sha256=digest.hex(),
        lenient=report.lenient,
        signatures=[SignatureFacts.of(report, one) for one in report.signatures],
        holds_until=report.holds_until,
        changed_pages=[PageFacts.of(one) for one in report.page_differences],
        etsi_report=_etsi(session, report, digest, now),
    )


def _etsi(session: Session, report: Report, sha256: bytes, now: datetime) -> str | None:
    if not report.signatures:
        return None
    roots, _ = certificates.trust_material(session)
    validator = x509.load_der_x509_certificate(roots[0]).subject.rfc4514_string()
    return etsi_report.write(report, document_sha256=sha256, validator=validator, now=now).decode()


def _count(call: Call) -> None:
    """Raise TooMany after sixty a minute for one account; each check takes up to a second of a core."""
    name = f"verify-by:{call.actor.account_id}"
    # Counted by itself: what is refused takes time too.
    with transaction() as session:
        passes = may_pass(session, name, limit=_A_MINUTE, per=timedelta(minutes=1), now=call.now)
    if not passes:
        raise TooMany(_l("There were too many checks from your program."), _l("Wait a minute, then try again."))
