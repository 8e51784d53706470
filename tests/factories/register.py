"""Rows of the register as issuing leaves them, without a signature: for searching and counting."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import issuance
from app.certificates.models import Authority, Certificate, CertificateState
from app.registry.models import Agency
from app.registry.search import fold
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def authority(session: Session, name: str = "issuing_citizens") -> Authority:
    """Return an authority that signs nothing; made when there is none of that name."""
    found = session.scalar(select(Authority).where(Authority.name == name))
    if found is None:
        found = Authority(name=name, profile=name, certificate_der=b"none", shards=4, generation=1)
        session.add(found)
        session.flush()
    return found


def agency(session: Session, code: str, name: str, parent: Agency | None = None) -> Agency:
    path = f"{parent.path if parent else ''}{code}/"
    made = Agency(code=code, name=name, search_name=fold(name), parent_id=parent.id if parent else None, path=path)
    session.add(made)
    session.flush()
    return made


def certificate(
    session: Session,
    name: str,
    *,
    state: CertificateState = CertificateState.ISSUED,
    of_agency: Agency | None = None,
    person_id: UUID | None = None,
    profile: ProfileName = ProfileName.CITIZEN_SIGNING,
    by: str = "issuing_citizens",
    created_at: datetime = NOW,
    not_after: datetime | None = None,
    serial: bytes | None = None,
) -> Certificate:
    der = secrets.token_bytes(40)
    made = Certificate(
        authority=authority(session, by),
        serial=serial or b"\x01" + secrets.token_bytes(17),
        shard=0,
        state=state,
        profile=profile,
        profile_digest="0" * 64,
        person_id=person_id,
        agency_id=of_agency.id if of_agency else None,
        label=name,
        search_name=fold(name),
        not_before=created_at,
        not_after=not_after or created_at + timedelta(days=730),
        spki_sha256=secrets.token_hex(32),
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        created_at=created_at,
    )
    session.add(made)
    session.flush()
    if state in {CertificateState.HELD, CertificateState.REVOKED}:
        held = state is CertificateState.HELD
        reason = RevocationReason.CERTIFICATE_HOLD if held else RevocationReason.SUPERSEDED
        issuance.add_revocation(session, made, reason, now=created_at)
    return made
