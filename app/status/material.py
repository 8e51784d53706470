"""What `status` needs to sign: the OCSP responder of each authority and the timestamp unit, with their keys.

Read when the process starts, and again every few minutes, so that a renewed responder is taken up without a restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import key_access
from app.certificates.models import Authority, Certificate, CertificateState
from app.certificates.register import chain_of, service_certificate
from app.core.db import transaction
from app.core.logs import log
from app.core.settings import Settings
from app.status.lookups import State, octets, state_of
from app.status.wire import Composer, prefix_of
from pki import oids
from pki.authority import Issuer
from pki.errors import KeyUnavailable
from pki.ocsp import HashName, IssuerId, issuer_id
from pki.profiles import ProfileName
from pki.tsa import TsaUnit

_LIFE: Final = timedelta(minutes=5)
# Before the authorities exist, and while the database is away, look again this soon.
_SOON: Final = timedelta(seconds=3)


@dataclass(frozen=True)
class Served:
    """An authority whose certificates we answer for."""

    authority_id: UUID
    name: str
    composer: Composer
    # What a CertID by SHA-1 begins with.
    prefix: bytes
    responder_ends: datetime
    # The certificates of authorities that it issued, by serial number: they stand in a table of their own.
    authorities: Mapping[bytes, State]


@dataclass(frozen=True)
class TimestampService:
    certificate_id: UUID
    unit: TsaUnit
    signs_until: datetime


@dataclass(frozen=True)
class Material:
    served: dict[IssuerId, Served] = field(default_factory=dict)
    timestamps: TimestampService | None = None
    # The same by what a CertID by SHA-1 begins with.
    by_prefix: dict[bytes, Served] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return bool(self.served) and self.timestamps is not None


class Holder:
    """The material of this process, shared by its threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._material = Material()
        self._is_read = False
        self._next_look: datetime | None = None
        self._lock = Lock()

    def look_again(self) -> None:
        """Read anew at the next `refresh`: an authority has come, or ended."""
        self._next_look = None

    def get(self, now: datetime) -> Material:
        """Return the material as it was last read; only the first call reads it. Raises what the database raises."""
        if self._is_read:
            return self._material
        return self.refresh(now)

    def refresh(self, now: datetime) -> Material:
        """Return the material, read again when it is due: not on the way of an answer, it opens every key."""
        with self._lock:
            if self._next_look is None or now >= self._next_look:
                self._next_look = now + _SOON
                with transaction() as session:
                    self._material = read(session, self._settings, now=now)
                self._is_read = True
                if self._material.is_complete:
                    self._next_look = now + _LIFE
        return self._material


def answers_folder(settings: Settings) -> Path:
    """Return where the files of stored answers lie."""
    return settings.data_dir / "status"


def read(session: Session, settings: Settings, *, now: datetime) -> Material:
    """Return what can be loaded now; an authority whose responder is missing is left out, and the log says so."""
    authorities = list(session.scalars(select(Authority)))
    every = [_served(session, settings, one, authorities, now=now) for one in authorities]
    found = [(one, served) for one, served in zip(authorities, every, strict=True) if served is not None]
    return Material(
        {issuer_id(one.certificate_der, name): served for one, served in found for name in HashName},
        _timestamps(session, settings, now=now) if authorities else None,
        {served.prefix: served for _, served in found},
    )


def _served(
    session: Session, settings: Settings, authority: Authority, authorities: Sequence[Authority], *, now: datetime
) -> Served | None:
    certificate = service_certificate(session, ProfileName.OCSP_RESPONDER, now=now, authority_id=authority.id)
    responder = _issuer(settings, certificate, authority.name)
    if responder is None:
        return None
    return Served(
        authority_id=authority.id,
        name=authority.name,
        composer=Composer(responder, hashlib.sha256(responder.certificate_der).digest()),
        prefix=prefix_of(issuer_id(authority.certificate_der, HashName.SHA1)),
        responder_ends=responder.certificate.not_valid_after_utc,
        authorities={_serial(one): _state(one) for one in authorities if one.issuer_id == authority.id},
    )


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


def _state(authority: Authority) -> State:
    return state_of(CertificateState.ISSUED, authority.revoked_at, authority.revocation_reason)


def _serial(authority: Authority) -> bytes:
    return octets(x509.load_der_x509_certificate(authority.certificate_der).serial_number)


def _signs_until(issuer: Issuer) -> datetime:
    period = issuer.certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    # The library gives this one time without a zone; GeneralizedTime is UTC (RFC 5280, 4.1.2.5.2).
    return period.not_after.replace(tzinfo=UTC) if period.not_after else issuer.certificate.not_valid_after_utc
