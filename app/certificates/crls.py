"""Publishing revocation lists: take a number, sign what the register holds, refuse what would not follow the last list.

A number is taken and committed in one transaction, the list is signed and stored in the next (`tasks` runs the two).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.alarms import service as alarms
from app.certificates import crl_making, key_access
from app.certificates.crl_models import FULL, CrlShard, ShardChange
from app.certificates.models import Authority, Crl
from app.core.failpoints import reach
from app.core.settings import Settings
from pki.authority import Issuer
from pki.errors import CrlRefused, PkiError
from pki.revocation import RevocationReason

# A publisher that dies lets others have its shards after this; one shard takes some 20 ms.
LEASE: Final = timedelta(seconds=10)
# After a refusal the cause must be seen to by people; trying each second would only fill the log.
_AGAIN: Final = timedelta(minutes=1)
# Lists that are kept besides the newest, to see what was said lately.
_KEPT: Final = 2

_LOST: Final = frozenset({RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE})


@dataclass(frozen=True)
class Lease:
    """The right to publish one list under one number."""

    authority_id: UUID
    shard: int
    number: int


class Signers:
    """The keys of the authorities, each loaded once for a round of publishing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issuers: dict[UUID, Issuer] = {}

    def of(self, authority: Authority) -> Issuer:
        """Return the authority with its key. Raises KeyUnavailable, KeyMismatch."""
        if authority.id not in self._issuers:
            key = key_access.load(self._settings, authority.key_reference)
            self._issuers[authority.id] = Issuer(authority.certificate_der, key)
        return self._issuers[authority.id]


def newest(session: Session, authority_id: UUID, shard: int) -> Crl | None:
    """Return the newest list of a shard (crl_models.FULL: of the whole authority), or None before the first."""
    query = select(Crl).where(Crl.authority_id == authority_id, Crl.shard == shard).order_by(Crl.number.desc()).limit(1)
    return session.scalar(query)


_TAKE: Final = text(
    """
    UPDATE crl_shard SET number = number + 1, leased_until = :until, refusal = NULL
    WHERE (authority_id, shard) IN (
        SELECT s.authority_id, s.shard FROM crl_shard s
        WHERE (s.leased_until IS NULL OR s.leased_until <= :now) AND s.next_at IS NOT NULL
            AND (s.next_at <= :now OR EXISTS (
                SELECT 1 FROM shard_change c WHERE c.authority_id = s.authority_id AND c.shard = s.shard))
        ORDER BY s.next_at > :now DESC, s.next_at LIMIT :count
        FOR UPDATE SKIP LOCKED)
    RETURNING authority_id, shard, number
    """
)


def keep_full_lists(session: Session, *, wanted: bool, now: datetime) -> None:
    """Begin the list of everything for each authority, or let go of it (KYVAO_FULL_CRLS); safe to repeat."""
    if not wanted:
        gone = session.scalars(delete(CrlShard).where(CrlShard.shard == FULL).returning(CrlShard.authority_id)).all()
        session.execute(delete(Crl).where(Crl.authority_id.in_(gone), Crl.shard == FULL))
        return
    below = select(Authority.id, literal(FULL), literal(0), literal(now)).where(Authority.issuer_id.is_not(None))
    new = insert(CrlShard).from_select(["authority_id", "shard", "number", "next_at"], below)
    session.execute(new.on_conflict_do_nothing())


def take(session: Session, *, now: datetime, count: int) -> list[Lease]:
    """Take a number for up to `count` lists that are behind or due, those behind first. Commit before you publish."""
    rows = session.execute(_TAKE, {"now": now, "until": now + LEASE, "count": count})
    return [Lease(*row) for row in rows]


def take_one(session: Session, authority: Authority, shard: int, *, now: datetime) -> Lease:
    """Take a number for one list whether it is behind or not. Raises CrlRefused if somebody else has one now."""
    session.execute(
        insert(CrlShard).values(authority_id=authority.id, shard=shard, number=0, next_at=now).on_conflict_do_nothing()
    )
    taken = session.execute(
        update(CrlShard)
        .where(
            CrlShard.authority_id == authority.id,
            CrlShard.shard == shard,
            CrlShard.leased_until.is_(None) | (CrlShard.leased_until <= now),
        )
        .values(number=CrlShard.number + 1, leased_until=now + LEASE)
        .returning(CrlShard.number)
    ).scalar_one_or_none()
    if taken is None:
        raise CrlRefused("another publisher has this list")
    return Lease(authority.id, shard, taken)


def publish_taken(session: Session, settings: Settings, lease: Lease, signers: Signers, *, now: datetime) -> Crl | None:
    """Sign and store the list of a taken number; None if the lease ran out, or no list is made any more.

    Raises CrlRefused if it would not follow the last list, lost an entry, or does not hold what the register holds.
    """
    # 1. Hold the number: whoever took a later one has the shard now.
    held = select(CrlShard).where(
        CrlShard.authority_id == lease.authority_id, CrlShard.shard == lease.shard, CrlShard.number == lease.number
    )
    row = session.scalar(held.with_for_update())
    if row is None:
        return None
    authority = session.get_one(Authority, lease.authority_id)
    # 2. Remove the marks that are visible now, then read: what commits in between stays marked.
    marks = delete(ShardChange).where(ShardChange.authority_id == authority.id, ShardChange.shard == lease.shard)
    session.execute(marks)
    if is_over(authority, now=now):
        row.next_at, row.leased_until = None, None
        session.flush()
        return None
    last = newest(session, authority.id, lease.shard)
    # 3. Sign, compare with the last list and with the register, store.
    made = crl_making.make(
        session, settings, authority, signers.of(authority), lease.shard, lease.number, last, now=now
    )
    _store(session, authority, made)
    row.next_at, row.leased_until = crl_making.next_at(authority, made), None
    session.flush()
    reach("crl.before_commit")
    return made


def note_refusal(session: Session, lease: Lease, error: PkiError, *, now: datetime) -> None:
    """Record why a list was refused and raise the alarm; it is tried again in a minute."""
    authority = session.get_one(Authority, lease.authority_id)
    why = f"{type(error).__name__}: {error}"
    alarms.raise_alarm(
        session, "crl_refused", object_kind="crl", object_id=crl_making.name_of(authority, lease.shard), why=why
    )
    session.execute(
        update(CrlShard)
        .where(
            CrlShard.authority_id == lease.authority_id,
            CrlShard.shard == lease.shard,
            CrlShard.number == lease.number,
        )
        .values(refusal=why, leased_until=now + _AGAIN)
    )


def publish(session: Session, settings: Settings, authority: Authority, shard: int, *, now: datetime) -> Crl:
    """Publish a list in one transaction: for first lists, where nothing can have been published under the number.

    Raises CrlRefused.
    """
    made = publish_taken(session, settings, take_one(session, authority, shard, now=now), Signers(settings), now=now)
    if made is None:
        raise CrlRefused("this authority makes no more lists")
    return made


def publish_first(session: Session, settings: Settings, authorities: Sequence[Authority], *, now: datetime) -> None:
    """Publish the first list of every shard of new authorities."""
    signers = Signers(settings)
    for authority in authorities:
        for shard in range(authority.shards):
            publish_taken(session, settings, take_one(session, authority, shard, now=now), signers, now=now)


def is_over(authority: Authority, *, now: datetime) -> bool:
    """Say whether an authority makes no more lists: its certificate has ended, or its key is somebody else's.

    Nobody believes a list under a lost key, and the list above it ends every path through the authority.
    """
    if authority.revoked_at is not None and authority.revocation_reason in _LOST:
        return True
    return x509.load_der_x509_certificate(authority.certificate_der).not_valid_after_utc <= now


def make_all_due(session: Session, *, now: datetime) -> None:
    """Let the next round publish every list, those that were refused a moment ago included."""
    kept = update(CrlShard).where(CrlShard.next_at.is_not(None))
    session.execute(kept.values(next_at=now, leased_until=None))


def make_due(session: Session, authority: Authority, *, now: datetime) -> None:
    """Let the next round look at every list of one authority."""
    session.execute(update(CrlShard).where(CrlShard.authority_id == authority.id).values(next_at=now))


def refusals(session: Session) -> list[tuple[str, str]]:
    """Return the lists whose last attempt was refused, with the reason."""
    query = select(Authority, CrlShard.shard, CrlShard.refusal).join(Authority, Authority.id == CrlShard.authority_id)
    refused = query.where(CrlShard.refusal.is_not(None)).order_by(Authority.name, CrlShard.shard)
    return [(crl_making.name_of(authority, shard), why or "") for authority, shard, why in session.execute(refused)]


def _store(session: Session, authority: Authority, made: Crl) -> None:
    session.add(made)
    session.flush()
    of_shard = (Crl.authority_id == made.authority_id, Crl.shard == made.shard)
    kept = select(Crl.number).where(*of_shard).order_by(Crl.number.desc()).offset(_KEPT).limit(1)
    old = delete(Crl).where(*of_shard, Crl.number < kept.scalar_subquery())
    session.execute(old.where(Crl.number != (made.base_number or made.number)))
    name = crl_making.name_of(authority, made.shard)
    for file in (name, f"{name}-delta") if made.delta_der else (name,):
        session.execute(select(func.pg_notify("kyvao_crl", file)))
