"""Ending, pausing and releasing many certificates at once: a few statements for each thousand, never one a row.

What is changed and how is the same as for one certificate (`revocations`); only those in the right state are touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.certificates.life_models import BulkKind
from app.certificates.models import BlockedKey, Certificate, CertificateState, Revocation
from app.certificates.publishing import publish_soon
from app.core.copying import copy_rows
from app.core.failpoints import reach
from app.core.permissions import Actor
from pki.revocation import RevocationReason, RevokedEntry, encode_entry

_STATES: Final = {
    BulkKind.REVOKE: (
        (CertificateState.ISSUED, CertificateState.HELD),
        CertificateState.REVOKED,
        "certificate_revoked",
    ),
    BulkKind.SUSPEND: ((CertificateState.ISSUED,), CertificateState.HELD, "certificate_suspended"),
    BulkKind.RELEASE: ((CertificateState.HELD,), CertificateState.ISSUED, "certificate_released"),
}


@dataclass(frozen=True)
class Change:
    """What is done to each certificate, and what its entry in the log says of it besides."""

    kind: BulkKind
    # None for a release; certificateHold for a suspension.
    reason: RevocationReason | None
    invalidity_date: datetime | None
    facts: dict[str, str]


_Changed = Row[UUID, UUID, bytes, int, datetime, datetime, str, UUID | None, str]


def change(
    session: Session, actor: Actor, certificate_ids: Sequence[UUID], what: Change, *, now: datetime
) -> set[UUID]:
    """Change those of the certificates that are in a state to change from, and return their ids."""
    changed = _move(session, certificate_ids, what.kind)
    if not changed:
        return set()
    held = [one.id for one in changed if one.was == CertificateState.HELD]
    if held:
        # Only holds are among them: the entry gives way to the final one, or goes.
        session.execute(delete(Revocation).where(Revocation.certificate_id.in_(held)))
    if what.reason is not None:
        _add_revocations(session, changed, what, what.reason, now=now)
    else:
        _add_releases(session, changed, now=now)
    if what.reason is RevocationReason.KEY_COMPROMISE:
        blocked = [{"spki_sha256": key, "blocked_at": now} for key in {one.spki_sha256 for one in changed}]
        session.execute(insert(BlockedKey).on_conflict_do_nothing(), blocked)
    _record(session, actor, changed, what)
    publish_soon(session)
    reach("revoke.before_commit")
    return {one.id for one in changed}


def _move(session: Session, certificate_ids: Sequence[UUID], kind: BulkKind) -> Sequence[_Changed]:
    """Move the states, locking the rows in one order so that two jobs never wait for each other."""
    source, target, _ = _STATES[kind]
    old = (
        select(Certificate.id, Certificate.state.label("was"))
        .where(Certificate.id.in_(certificate_ids), Certificate.state.in_(source))
        .order_by(Certificate.id)
        .with_for_update()
        .cte("old")
    )
    statement = (
        update(Certificate)
        .where(Certificate.id == old.c.id)
        .values(state=target)
        .returning(
            Certificate.id,
            Certificate.authority_id,
            Certificate.serial,
            Certificate.shard,
            Certificate.not_before,
            Certificate.not_after,
            Certificate.spki_sha256,
            Certificate.agency_id,
            old.c.was,
        )
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).all()


def _add_revocations(
    session: Session, changed: Iterable[_Changed], what: Change, reason: RevocationReason, *, now: datetime
) -> None:
    at = now.replace(microsecond=0)
    copy_rows(
        session,
        "revocation (certificate_id, authority_id, serial, shard, not_after, reason, revoked_at, invalidity_date,"
        " entry_der)",
        "uuid uuid bytea int4 timestamptz int4 timestamptz timestamptz bytea",
        (
            (
                one.id,
                one.authority_id,
                one.serial,
                one.shard,
                one.not_after,
                reason.value,
                at,
                since := _since(what, one.not_before),
                encode_entry(RevokedEntry(int.from_bytes(one.serial, "big"), at, reason, since)),
            )
            for one in changed
        ),
    )


def _add_releases(session: Session, changed: Iterable[_Changed], *, now: datetime) -> None:
    copy_rows(
        session,
        "hold_release (certificate_id, authority_id, shard, serial, released_at)",
        "uuid uuid int4 bytea timestamptz",
        ((one.id, one.authority_id, one.shard, one.serial, now) for one in changed),
    )


def _record(session: Session, actor: Actor, changed: Iterable[_Changed], what: Change) -> None:
    act = _STATES[what.kind][2]
    facts = dict(what.facts)
    if what.kind is BulkKind.REVOKE and what.reason is not None:
        facts["reason"] = what.reason.name.lower()
    copy_rows(
        session,
        "audit_entry (actor_account_id, actor_label, act, object_kind, object_id, agency_id, facts)",
        "uuid text text text text uuid jsonb",
        (
            (
                actor.account_id,
                None if actor.account_id else actor.label,
                act,
                "certificate",
                str(one.id),
                one.agency_id,
                Jsonb(facts | {"serial": one.serial.hex()}),
            )
            for one in changed
        ),
    )


def _since(what: Change, not_before: datetime) -> datetime | None:
    """Return the invalidity date for one certificate: a key is not lost before its certificate was made."""
    return max(what.invalidity_date, not_before) if what.invalidity_date else None
