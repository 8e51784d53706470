"""What `status` needs to sign: the OCSP responder of each authority and the timestamp unit, with their keys.

Read when the process starts, and again every hour, so that a renewed responder is taken up without a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import key_access
from app.certificates.models import Authority, Certificate
from app.certificates.register import chain_of, service_certificate
from app.core.db import transaction
from app.core.logs import log
from app.core.settings import Settings
from pki import oids
from pki.authority import Issuer
from pki.errors import KeyUnavailable
from pki.ocsp import HashName, IssuerId, issuer_id
from pki.profiles import ProfileName
from pki.tsa import TsaUnit

_LIFE: Final = timedelta(hours=1)
# Before the authorities exist, and while the database is away, look again this soon.
_SOON: Final = timedelta(seconds=3)


@dataclass(frozen=True)
class Served:
    """An authority whose certificates we answer for."""

    authority_id: UUID
    responder: Issuer
    # The certificates of authorities that it issued: they stand in a table of their own.
    authority_serials: frozenset[int]


@dataclass(frozen=True)
class TimestampService:
    certificate_id: UUID
    unit: TsaUnit
    signs_until: datetime


@dataclass(frozen=True)
class Material:
    served: dict[IssuerId, Served] = field(default_factory=dict)
    timestamps: TimestampService | None = None

    @property
    def is_complete(self) -> bool:
        return bool(self.served) and self.timestamps is not None


class Holder:
    """The material of this process, shared by its threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._material = Material()
        self._next_look: datetime | None = None
        self._lock = Lock()

    def get(self, now: datetime) -> Material:
        """Return the material, read again when it is due. Raises what the database raises only before the first."""
        if self._next_look is not None and now < self._next_look:
            return self._material
        with self._lock:
            if self._next_look is None or now >= self._next_look:
                self._next_look = now + _SOON
                with transaction() as session:
                    self._material = read(session, self._settings, now=now)
                if self._material.is_complete:
                    self._next_look = now + _LIFE
        return self._material


def read(session: Session, settings: Settings, *, now: datetime) -> Material:
    """Return what can be loaded now; an authority whose responder is missing is left out, and the log says so."""
    authorities = list(session.scalars(select(Authority)))
    served: dict[IssuerId, Served] = {}
    for authority in authorities:
        responder = _responder(session, settings, authority, now=now)
        if responder is None:
            continue
        below = frozenset(_serial_number(one) for one in authorities if one.issuer_id == authority.id)
        answers_for = Served(authority.id, responder, below)
        served |= {issuer_id(authority.certificate_der, name): answers_for for name in HashName}
    return Material(served, _timestamps(session, settings, now=now) if authorities else None)


def _responder(session: Session, settings: Settings, authority: Authority, *, now: datetime) -> Issuer | None:
    certificate = service_certificate(session, ProfileName.OCSP_RESPONDER, now=now, authority_id=authority.id)
    return _issuer(settings, certificate, authority.name)


def _timestamps(session: Session, settings: Settings, *, now: datetime) -> TimestampService | None:
    certificate = service_certificate(session, ProfileName.TSA_UNIT, now=now)
    issuer = _issuer(settings, certificate, ProfileName.TSA_UNIT)
    if certificate is None or issuer is None:
        return None
    # Without the root: whoever checks a token has it, or must not take it from us.
    chain = chain_of(session, certificate)[:-1]
    unit = TsaUnit(issuer.certificate_der, issuer.key, chain, oids.POLICY_TIMESTAMP)
    return TimestampService(certificate.id, unit, _signs_until(issuer))


def _issuer(settings: Settings, certificate: Certificate | None, name: str) -> Issuer | None:
    if certificate is None or certificate.der is None:
        log.error("signer_missing", signer=str(name))
        return None
    try:
        return Issuer(certificate.der, key_access.load(settings, certificate.key_reference))
    except KeyUnavailable:
        log.error("key_unavailable", signer=str(name))
        return None


def _serial_number(authority: Authority) -> int:
    return x509.load_der_x509_certificate(authority.certificate_der).serial_number


def _signs_until(issuer: Issuer) -> datetime:
    period = issuer.certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    # The library gives this one time without a zone; GeneralizedTime is UTC (RFC 5280, 4.1.2.5.2).
    return period.not_after.replace(tzinfo=UTC) if period.not_after else issuer.certificate.not_valid_after_utc
