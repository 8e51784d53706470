"""What stands behind a certificate: its chain, where its status is published, and who did what to it, from the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask_babel import gettext as _
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.audit.models import AuditEntry
from app.audit.words import ACTS
from app.certificates import issuance, register
from app.certificates.models import Authority, Certificate, CertificateRequest
from app.core.errors import Sentence
from app.core.settings import Settings
from pki.authority import IssuerUrls


@dataclass(frozen=True)
class Event:
    """An entry of the log about a certificate or the request that led to it."""

    occurred_at: datetime
    act: Sentence
    # The label of an account, or which part of the house acted by itself.
    who: str
    reference: str | None


@dataclass(frozen=True)
class Background:
    """What the page of a certificate shows beside the certificate."""

    events: Sequence[Event]
    # The authorities above it, nearest first.
    authorities: Sequence[Authority]
    addresses: IssuerUrls


def background(session: Session, settings: Settings, certificate: Certificate) -> Background:
    """Return what stands behind a certificate that the reader may see."""
    above = []
    authority: Authority | None = certificate.authority
    while authority is not None:
        above.append(authority)
        authority = session.get(Authority, authority.issuer_id) if authority.issuer_id else None
    addresses = issuance.urls_of(settings, certificate.authority.name, certificate.shard)
    return Background(events(session, certificate), above, addresses)


def events(session: Session, certificate: Certificate) -> Sequence[Event]:
    """Return what the log says of a certificate and its request, the newest first."""
    request_id = session.scalar(
        select(CertificateRequest.id).where(
            CertificateRequest.person_id == certificate.person_id, CertificateRequest.certificate_id == certificate.id
        )
    )
    about = [("certificate", str(certificate.id)), ("certificate_request", str(request_id))]
    same = [and_(AuditEntry.object_kind == kind, AuditEntry.object_id == name) for kind, name in about]
    entries = session.scalars(select(AuditEntry).where(or_(*same)).order_by(AuditEntry.id.desc()).limit(200)).all()
    labels = accounts.labels(session, (entry.actor_account_id for entry in entries))
    return [
        Event(entry.occurred_at, ACTS.get(entry.act, entry.act), _who(entry, labels), entry.reference)
        for entry in entries
    ]


def chain_pem(session: Session, certificate: Certificate) -> bytes:
    """Return the certificate and those above it, the root last, in PEM."""
    ders = [certificate.der or b"", *register.chain_of(session, certificate)]
    return b"".join(pem(der) for der in ders)


def pem(certificate_der: bytes) -> bytes:
    """Return a certificate in PEM."""
    return x509.load_der_x509_certificate(certificate_der).public_bytes(Encoding.PEM)


def _who(entry: AuditEntry, labels: dict[UUID, str]) -> str:
    if entry.actor_account_id is not None:
        return labels.get(entry.actor_account_id) or str(_("an account that is gone"))
    return str(_("The house itself"))
