"""Renewing the certificates of OCSP responders: a new key and a new certificate before the old one ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates.authorities import certify_service
from app.certificates.key_access import Keyholder
from app.certificates.models import Authority, Certificate
from app.certificates.register import service_certificate
from app.core.permissions import house
from app.core.settings import Settings
from pki.names import ServiceName
from pki.profiles import ProfileName

LEFT: Final = timedelta(days=15)


def due(session: Session, *, now: datetime) -> list[UUID]:
    """Return the authorities whose responder ends soon, or has none, and whose key is here."""
    return [
        authority.id
        for authority in session.scalars(
            select(Authority).where(Authority.key_reference.is_not(None), Authority.revoked_at.is_(None))
        )
        if _is_due(session, authority.id, now)
    ]


def renew(session: Session, settings: Settings, authority_id: UUID, *, now: datetime) -> Certificate | None:
    """Make the next responder of an authority, None if another worker has. Raises PkiError if a key cannot be used."""
    authority = session.scalars(select(Authority).where(Authority.id == authority_id).with_for_update()).one()
    if not _is_due(session, authority_id, now):
        return None
    name = f"ocsp_{authority.name}_{now:%Y%m%d%H%M}"
    certificate = certify_service(
        session, settings, authority, ProfileName.OCSP_RESPONDER,
        ServiceName(f"OCSP {authority.name} {now:%Y-%m-%d}"[:64], settings.city), Keyholder.STATUS, name, now=now,
    )  # fmt: skip
    audit.record(
        session, house("status"), "certificate_issued", object_kind="certificate", object_id=certificate.id,
        serial=certificate.serial_hex,
    )  # fmt: skip
    return certificate


def _is_due(session: Session, authority_id: UUID, now: datetime) -> bool:
    found = service_certificate(session, ProfileName.OCSP_RESPONDER, now=now, authority_id=authority_id)
    return found is None or found.not_after - now < LEFT
