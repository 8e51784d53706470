"""What the register says must stand in a list, and whether anything of the last list went missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import ColumnElement, LargeBinary, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app.certificates.crl_models import FULL, HoldRelease
from app.certificates.models import Authority, Crl, Revocation
from pki.crl import missing_entries
from pki.errors import CrlRefused
from pki.revocation import RevocationReason, RevokedEntry, encode_entry

# A release says when it began; a list may have been made between that and its commit.
_COMMITS_WITHIN: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Entries:
    """The entries of a list: joined in the order of their revocation, and how many they are."""

    joined: bytes
    count: int


def read(session: Session, authority: Authority, shard: int, *, horizon: datetime) -> Entries:
    """Return the entries of a shard from one query, and of the authorities below if it is a root's.

    A certificate that ended before `horizon` has left: an entry stays for one list after the end (RFC 5280, 3.3).
    """
    if authority.issuer_id is None:
        return _of_authorities(session, authority)
    nothing = literal(b"", LargeBinary)
    # PostgreSQL writes the order behind the last argument of an aggregate.
    in_order = aggregate_order_by(nothing, Revocation.revoked_at, Revocation.certificate_id)
    joined = func.string_agg(Revocation.entry_der, in_order)
    query = select(func.coalesce(joined, nothing), func.count())
    entries, count = session.execute(query.where(*_of(authority.id, shard), Revocation.not_after > horizon)).one()
    return Entries(entries, count)


def check_nothing_lost(session: Session, last: Crl, next_der: bytes, *, horizon: datetime) -> None:
    """Return if every serial of the last list is in the next, has ended, or was released from a hold.

    Raises CrlRefused: a restored database, a deleted row or a wrong shard would bring revoked certificates back.
    """
    missing = missing_entries(last.der, next_der)
    if not missing:
        return
    as_bytes = {one.to_bytes((one.bit_length() + 7) // 8, "big"): one for one in missing}
    explained = {as_bytes[serial] for serial in _explained(session, last, as_bytes, horizon)}
    lost = missing - explained
    if lost:
        raise CrlRefused(f"{len(lost)} entries of the last list are missing, among them {min(lost):x}")


def _explained(session: Session, last: Crl, serials: Collection[bytes], horizon: datetime) -> set[bytes]:
    ended = select(Revocation.serial).where(
        *_of(last.authority_id, last.shard), Revocation.serial.in_(serials), Revocation.not_after <= horizon
    )
    released = select(HoldRelease.serial).where(
        HoldRelease.authority_id == last.authority_id,
        literal(last.shard == FULL) | (HoldRelease.shard == last.shard),
        HoldRelease.serial.in_(serials),
        # One from before the last list does not explain what that list still held.
        HoldRelease.released_at > last.this_update - _COMMITS_WITHIN,
    )
    return {*session.scalars(ended), *session.scalars(released)}


def _of(authority_id: UUID, shard: int) -> tuple[ColumnElement[bool], ...]:
    of_authority = Revocation.authority_id == authority_id
    return (of_authority,) if shard == FULL else (of_authority, Revocation.shard == shard)


def _of_authorities(session: Session, root: Authority) -> Entries:
    query = select(Authority).where(Authority.issuer_id == root.id, Authority.revoked_at.is_not(None))
    revoked = session.scalars(query.order_by(Authority.revoked_at, Authority.id)).all()
    return Entries(b"".join(_entry(one) for one in revoked), len(revoked))


def _entry(authority: Authority) -> bytes:
    serial_number = x509.load_der_x509_certificate(authority.certificate_der).serial_number
    revoked_at = authority.revoked_at
    if revoked_at is None:
        raise CrlRefused("this authority is not revoked")
    reason = RevocationReason(authority.revocation_reason or RevocationReason.UNSPECIFIED)
    return encode_entry(RevokedEntry(serial_number, revoked_at, reason))
