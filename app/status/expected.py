"""What the register says that must be found outside: authorities, their lists, a certificate of each to ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.certificates.crl_models import FULL
from app.certificates.crls import is_over
from app.certificates.models import Authority, Certificate, CertificateState, Crl
from app.certificates.register import service_certificate
from pki.profiles import ProfileName


@dataclass(frozen=True)
class ExpectedAuthority:
    name: str
    certificate_der: bytes
    # Lists by the last part of their address, with their newest number.
    lists: Mapping[str, int]
    # A certificate in force, by serial number; None where there is none.
    known_serial: bytes | None
    responder_ends: datetime | None


@dataclass(frozen=True)
class Expected:
    authorities: tuple[ExpectedAuthority, ...]
    unit_der: bytes | None
    unit_ends: datetime | None


def expected(session: Session, *, now: datetime) -> Expected:
    """Return what must be found at the public addresses."""
    numbers: dict[UUID, dict[str, int]] = {}
    newest = select(Crl.authority_id, Crl.shard, func.max(Crl.number)).group_by(Crl.authority_id, Crl.shard)
    for authority_id, shard, number in session.execute(newest):
        numbers.setdefault(authority_id, {})["full" if shard == FULL else str(shard)] = number
    every = session.scalars(select(Authority).order_by(Authority.name))
    authorities = [one for one in every if not is_over(one, now=now)]
    unit = service_certificate(session, ProfileName.TSA_UNIT, now=now)
    return Expected(
        tuple(_authority(session, one, numbers.get(one.id, {}), now) for one in authorities),
        unit.der if unit else None,
        unit.not_after if unit else None,
    )


def _authority(session: Session, authority: Authority, lists: dict[str, int], now: datetime) -> ExpectedAuthority:
    known = select(Certificate.serial).where(
        Certificate.authority_id == authority.id, Certificate.state == CertificateState.ISSUED
    )
    responder = service_certificate(session, ProfileName.OCSP_RESPONDER, now=now, authority_id=authority.id)
    return ExpectedAuthority(
        authority.name,
        authority.certificate_der,
        {str(shard): 0 for shard in range(authority.shards)} | lists,
        session.scalar(known.limit(1)),
        responder.not_after if responder else None,
    )
