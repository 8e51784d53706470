"""Publishing revocation lists: take a number, sign what the register holds, refuse what would not follow the last list.

A number is taken and committed in one transaction, the list is signed and stored in the next (`tasks` runs the two).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.alarms import service as alarms
from app.certificates import crl_entries, issuance, key_access
from app.certificates.crl_models import FULL, CrlShard, ShardChange
from app.certificates.models import Authority, Crl
from app.core.failpoints import reach
from app.core.settings import Settings
from pki.authority import Issuer
from pki.crl import build_crl, check_succession
from pki.errors import CrlRefused, PkiError
from pki.profiles import ProfileName

LIFETIME: Final = timedelta(hours=48)
ROOT_LIFETIME: Final = timedelta(days=180)
# A publisher that dies lets others have its shards after this; one shard takes some 20 ms.
LEASE: Final = timedelta(seconds=10)
# After a refusal the cause must be seen to by people; trying each second would only fill the log.
_AGAIN: Final = timedelta(minutes=1)
# Lists that are kept besides the newest, to see what was said lately.
_KEPT: Final = 2


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


def lifetime_of(authority: Authority) -> timedelta:
    return ROOT_LIFETIME if authority.profile == ProfileName.ROOT else LIFETIME


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
    """Sign and store the list of a taken number; None if the lease ran out, or the authority's certificate has ended.

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
    if _ends(authority) <= now:
        row.next_at, row.leased_until = None, None
        session.flush()
        return None
    last = newest(session, authority.id, lease.shard)
    entries = crl_entries.read(session, authority, lease.shard, horizon=now - LIFETIME)
    # 3. Sign, compare with the last list and with the register, store.
    der = _build(settings, authority, signers.of(authority), lease, entries, now)
    reach("crl.signed_before_swap")
    _check(session, last, der, entries, now)
    made = _store(session, authority, lease, der, now)
    row.next_at, row.leased_until = _due(authority, lease, now), None
    session.flush()
    reach("crl.before_commit")
    return made


def note_refusal(session: Session, lease: Lease, error: PkiError, *, now: datetime) -> None:
    """Record why a list was refused and raise the alarm; it is tried again in a minute."""
    authority = session.get_one(Authority, lease.authority_id)
    why = f"{type(error).__name__}: {error}"
    alarms.raise_alarm(session, "crl_refused", object_kind="crl", object_id=name_of(authority, lease.shard), why=why)
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
        raise CrlRefused("the authority's certificate has ended")
    return made


def publish_first(session: Session, settings: Settings, authorities: Sequence[Authority], *, now: datetime) -> None:
    """Publish the first list of every shard of new authorities."""
    signers = Signers(settings)
    for authority in authorities:
        for shard in range(authority.shards):
            publish_taken(session, settings, take_one(session, authority, shard, now=now), signers, now=now)


def make_all_due(session: Session, *, now: datetime) -> None:
    """Let the next round publish every list, those that were refused a moment ago included."""
    kept = update(CrlShard).where(CrlShard.next_at.is_not(None))
    session.execute(kept.values(next_at=now, leased_until=None))


def refusals(session: Session) -> list[tuple[str, str]]:
    """Return the lists whose last attempt was refused, with the reason."""
    query = select(Authority, CrlShard.shard, CrlShard.refusal).join(Authority, Authority.id == CrlShard.authority_id)
    refused = query.where(CrlShard.refusal.is_not(None)).order_by(Authority.name, CrlShard.shard)
    return [(name_of(authority, shard), why or "") for authority, shard, why in session.execute(refused)]


def name_of(authority: Authority, shard: int) -> str:
    """Return the name of a list in its address and in messages: `issuing_citizens/17`, `issuing_citizens/full`."""
    return f"{authority.name}/{'full' if shard == FULL else shard}"


def _build(
    settings: Settings, authority: Authority, issuer: Issuer, lease: Lease, entries: crl_entries.Entries, now: datetime
) -> bytes:
    is_root = authority.profile == ProfileName.ROOT
    return build_crl(
        (entries.joined,),
        issuer=issuer,
        number=lease.number,
        now=now,
        lifetime=lifetime_of(authority),
        distribution_point=None if is_root else issuance.urls_of(settings, authority.name, lease.shard).crl,
        only_ca=is_root,
    )


def _check(session: Session, last: Crl | None, der: bytes, entries: crl_entries.Entries, now: datetime) -> None:
    if len(x509.load_der_x509_crl(der)) != entries.count:
        raise CrlRefused("the list does not hold what the register holds")
    if last is not None:
        check_succession(last.der, der)
        crl_entries.check_nothing_lost(session, last, der, horizon=now - LIFETIME)


def _store(session: Session, authority: Authority, lease: Lease, der: bytes, now: datetime) -> Crl:
    made = Crl(
        authority_id=authority.id,
        shard=lease.shard,
        number=lease.number,
        der=der,
        this_update=now,
        next_update=now + lifetime_of(authority),
    )
    session.add(made)
    of_shard = (Crl.authority_id == authority.id, Crl.shard == lease.shard)
    kept = select(Crl.number).where(*of_shard).order_by(Crl.number.desc()).offset(_KEPT).limit(1)
    session.flush()
    session.execute(delete(Crl).where(*of_shard, Crl.number < kept.scalar_subquery()))
    session.execute(select(func.pg_notify("kyvao_crl", name_of(authority, lease.shard))))
    return made


def _due(authority: Authority, lease: Lease, now: datetime) -> datetime:
    """Return when the next list is due: at 30 to 50 % of the life of this one, spread by a hash.

    Lists made together (at creation, after a bulk revocation) so never come due together again.
    """
    digest = hashlib.sha256(f"{name_of(authority, lease.shard)}/{lease.number}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return now + lifetime_of(authority) * (0.3 + 0.2 * share)


def _ends(authority: Authority) -> datetime:
    return x509.load_der_x509_certificate(authority.certificate_der).not_valid_after_utc
