"""What the rest of the house asks the certificates: who may sign with what, what is trusted, what became of one.

Requests, revocations and issuing have their own modules; this is the face for the capabilities above.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import authorities, register
from app.certificates.authorities import certify_agency
from app.certificates.impact import Consequence, impact, impact_providers
from app.certificates.models import Certificate, CertificateState
from app.certificates.register import (
    PERSONAL,
    PassSigner,
    by_sha256,
    chain_of,
    find,
    is_usable,
    pass_signer_of,
    pass_signers,
    seal_of,
    service_certificate,
    trust_material,
)
from app.core.permissions import house
from app.core.settings import Settings
from app.registry.models import Agency
from pki.profiles import ProfileName

__all__ = [
    "Consequence",
    "PassSigner",
    "by_sha256",
    "certify_agency",
    "chain_of",
    "create_demonstration",
    "current_certificate",
    "find",
    "impact",
    "impact_providers",
    "is_usable",
    "pass_signer_of",
    "pass_signers",
    "seal_of",
    "service_certificate",
    "status_evidence",
    "status_of",
    "trust_material",
]


def create_demonstration(
    session: Session, settings: Settings, *, now: datetime, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Create every authority, and for each agency a seal and a pass signer. Raises Conflict if there are any."""
    actor = house("demonstration")
    authorities.create(session, settings, actor=actor, now=now, tell=tell)
    tell("Seals and pass signers of the agencies")
    for agency in session.scalars(select(Agency).order_by(Agency.path)):
        certify_agency(session, settings, agency, actor=actor, now=now)


def current_certificate(
    session: Session, person_id: UUID, *, now: datetime, profiles: tuple[ProfileName, ...] = PERSONAL
) -> Certificate | None:
    """Return the newest usable signing certificate of a person, or None."""
    return register.current_of_person(session, person_id, now=now, profiles=profiles)


def status_of(session: Session, certificate: UUID | int) -> CertificateState | None:
    """Return the state of a certificate by its id or its serial number; None when it was never issued here."""
    if isinstance(certificate, UUID):
        condition = Certificate.id == certificate
    else:
        condition = Certificate.serial == certificate.to_bytes((certificate.bit_length() + 7) // 8, "big")
    state = session.scalar(select(Certificate.state).where(condition))
    return CertificateState(state) if state else None


def status_evidence(session: Session, lists: Collection[tuple[str, int]]) -> tuple[bytes, ...]:
    """Return the newest of these revocation lists, by authority and shard, and that of the root; DER."""
    return register.newest_crls(session, lists)
