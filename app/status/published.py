"""What is published for everyone: certificates of the authorities and their newest revocation lists."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.certificates.crl_models import CrlShard
from app.certificates.models import Authority, Crl

# All lists of every authority, with room; a city has some hundred and fifty.
_MOST_KEPT: Final = 1000
# In seconds.
_WHEN_TOLD: Final = 30.0
_UNTOLD: Final = 1.0


@dataclass(frozen=True)
class List:
    """The newest list of one shard, without its bytes."""

    shard: int
    number: int
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True)
class Shown:
    """An authority as the page shows it."""

    name: str
    common_name: str
    is_root: bool
    # SHA-256 over the certificate, upper-case hex in pairs.
    fingerprint: str
    not_after: datetime
    lists: Sequence[List]


class Kept:
    """Published files in memory, each until we are told of a newer one, and for a short while at the most."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, float, Published]] = {}
        # How often each was told to be old: what was read before that and put here after it is not used.
        self._counts: dict[str, int] = {}
        self._everything = 0

    def forget(self, name: str) -> None:
        """Read `name` again at the next request; an empty name means everything."""
        if name:
            self._counts[name] = self._counts.get(name, 0) + 1
        else:
            self._everything += 1

    def get(self, name: str, read: Callable[[], Published | None], *, told: bool) -> Published | None:
        """Return the file; `told` says that `forget` is called when there is a new one.

        While the database is away, what is kept goes on: it says itself until when it holds. Raises SQLAlchemyError
        when nothing is kept.
        """
        count = self._counts.get(name, 0) + (self._everything << 32)
        kept = self._kept.get(name)
        if kept is not None and kept[0] == count and monotonic() < kept[1] + (_WHEN_TOLD if told else _UNTOLD):
            return kept[2]
        try:
            found = read()
        except SQLAlchemyError:
            if kept is None:
                raise
            return kept[2]
        if found is not None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept = {}
            self._kept[name] = (count, monotonic(), found)
        return found


@dataclass(frozen=True, slots=True)
class Published:
    """A file for everyone: its bytes, and its times where it has any."""

    der: bytes
    etag: str
    this_update: datetime | None = None
    next_update: datetime | None = None


def published(der: bytes, this_update: datetime | None = None, next_update: datetime | None = None) -> Published:
    """Return what is served for `der`."""
    return Published(der, f'"{hashlib.sha256(der).hexdigest()[:32]}"', this_update, next_update)


def authority_certificate(session: Session, name: str) -> bytes | None:
    """Return the certificate of an authority in DER."""
    return session.scalar(select(Authority.certificate_der).where(Authority.name == name))


def newest_list(session: Session, name: str, shard: int) -> Crl | None:
    """Return the newest revocation list of a shard."""
    query = (
        select(Crl)
        .join(Authority, Authority.id == Crl.authority_id)
        .where(Authority.name == name, Crl.shard == shard)
        .order_by(Crl.number.desc())
        .limit(1)
    )
    return session.scalar(query)


def overview(session: Session) -> list[Shown]:
    """Return every authority, the root first, with its newest lists."""
    lists: dict[str, list[List]] = {}
    query = (
        select(Authority.name, Crl.shard, Crl.number, Crl.this_update, Crl.next_update)
        .join(Authority, Authority.id == Crl.authority_id)
        .ext(distinct_on(Authority.name, Crl.shard))
        .order_by(Authority.name, Crl.shard, Crl.number.desc())
    )
    for name, shard, number, this_update, next_update in session.execute(query):
        lists.setdefault(name, []).append(List(shard, number, this_update, next_update))
    authorities = session.scalars(select(Authority).order_by(Authority.issuer_id.is_not(None), Authority.name))
    return [_shown(authority, lists.get(authority.name, [])) for authority in authorities]


def stalest(session: Session) -> datetime | None:
    """Return the end of the newest list that ends first, among those that are kept fresh; None before there are any."""
    kept = (CrlShard.authority_id == Crl.authority_id) & (CrlShard.shard == Crl.shard) & CrlShard.next_at.is_not(None)
    ends_of = select(func.max(Crl.next_update).label("ends")).join(CrlShard, kept)
    newest = ends_of.group_by(Crl.authority_id, Crl.shard).subquery()
    ends: datetime | None = session.scalar(select(func.min(newest.c.ends)))
    return ends


def _shown(authority: Authority, lists: Sequence[List]) -> Shown:
    certificate = x509.load_der_x509_certificate(authority.certificate_der)
    (common_name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    digest = hashlib.sha256(authority.certificate_der).hexdigest().upper()
    return Shown(
        name=authority.name,
        common_name=str(common_name.value),
        is_root=authority.issuer_id is None,
        fingerprint=" ".join(digest[start : start + 4] for start in range(0, len(digest), 4)),
        not_after=certificate.not_valid_after_utc,
        lists=lists,
    )
