"""Publishing revocation lists: one shard at a time, under a lock, never behind what was published before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.certificates import issuance, key_access
from app.certificates.models import Authority, Crl, Revocation
from app.core.settings import Settings
from pki.authority import Issuer
from pki.crl import build_crl, check_succession
from pki.errors import CrlRefused
from pki.profiles import ProfileName

LIFETIME: Final = timedelta(hours=48)
ROOT_LIFETIME: Final = timedelta(days=180)
_LOCK_SPACE: Final = 4_901


def newest(session: Session, authority_id: UUID, shard: int) -> Crl | None:
    """Return the newest list of a shard, or None before the first."""
    query = select(Crl).where(Crl.authority_id == authority_id, Crl.shard == shard).order_by(Crl.number.desc()).limit(1)
    return session.scalar(query)


def publish(session: Session, settings: Settings, authority: Authority, shard: int, *, now: datetime) -> Crl:
    """Sign and store the next list of a shard. Raises CrlRefused if it would not follow the last or misses an entry."""
    # Two publishers of one shard would sign one number twice.
    session.execute(
        text("SELECT pg_advisory_xact_lock(:space, hashtext(:name))"),
        {"space": _LOCK_SPACE, "name": f"{authority.name}/{shard}"},
    )
    last = newest(session, authority.id, shard)
    is_root = authority.profile == ProfileName.ROOT
    entries = _entries(session, authority, shard, now)
    lifetime = ROOT_LIFETIME if is_root else LIFETIME
    der = build_crl(
        entries,
        issuer=Issuer(authority.certificate_der, key_access.load(settings, authority.key_reference)),
        number=(last.number if last else 0) + 1,
        now=now,
        lifetime=lifetime,
        distribution_point=None if is_root else issuance.urls_of(settings, authority.name, shard).crl,
        only_ca=is_root,
    )
    check_succession(last.der if last else None, der)
    if len(x509.load_der_x509_crl(der)) != len(entries):
        raise CrlRefused("the list does not hold what the register holds")
    made = Crl(
        authority_id=authority.id,
        shard=shard,
        number=(last.number if last else 0) + 1,
        der=der,
        this_update=now,
        next_update=now + lifetime,
    )
    session.add(made)
    session.flush()
    return made


def publish_all(session: Session, settings: Settings, *, now: datetime) -> None:
    """Publish every shard of every authority."""
    for authority in session.scalars(select(Authority)):
        for shard in range(authority.shards):
            publish(session, settings, authority, shard, now=now)


def due(session: Session, *, now: datetime) -> list[tuple[Authority, int]]:
    """Return the shards whose newest list is past the middle of its life."""
    found = []
    for authority in session.scalars(select(Authority)):
        query = select(Crl.shard, func.max(Crl.this_update)).where(Crl.authority_id == authority.id)
        newest_of = {row[0]: row[1] for row in session.execute(query.group_by(Crl.shard))}
        half = (ROOT_LIFETIME if authority.profile == ProfileName.ROOT else LIFETIME) / 2
        found += [
            (authority, shard)
            for shard in range(authority.shards)
            if shard not in newest_of or now >= newest_of[shard] + half
        ]
    return found


def _entries(session: Session, authority: Authority, shard: int, now: datetime) -> list[bytes]:
    # An entry stays until one list after the certificate's end (RFC 5280, 3.3).
    query = (
        select(Revocation.entry_der)
        .where(
            Revocation.authority_id == authority.id,
            Revocation.shard == shard,
            Revocation.not_after > now - LIFETIME,
        )
        .order_by(Revocation.revoked_at, Revocation.certificate_id)
    )
    return list(session.scalars(query))
