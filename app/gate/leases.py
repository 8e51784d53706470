"""Rights to admit, leased to the tablets of each guest's gate shortly before a meeting, and the signed list of each.

A right is leased only while the server owns it, and a list is signed only for the boot that the server has heard of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.gate.models import Admission, Device
from app.gate.models_leases import Lease, LeaseEdition, TabletLog
from app.meetings.models import Guest, Meeting, MeetingState, Pass, PassState
from pki.keys import SigningKey
from pki.passes import lease
from pki.passes.lease import Policy
from pki.passes.signed_list import Edition

# Rights are leased from this long before the doors open.
AHEAD: Final = timedelta(minutes=30)
# A tablet that was not heard of for so long gets no rights: they would wait where nobody can use them.
HEARD: Final = timedelta(minutes=5)
# One round leases no more than this, so that it ends soon; the next goes on.
MOST: Final = 2_000


def newest_list(session: Session, device_id: UUID) -> bytes | None:
    """Return the signed list for the tablet's present boot; None until it was signed."""
    query = (
        select(LeaseEdition.body)
        .join(TabletLog, TabletLog.device_id == LeaseEdition.device_id)
        .where(LeaseEdition.device_id == device_id, LeaseEdition.boot_id == TabletLog.boot_id)
    )
    return session.scalar(query)


def plan(session: Session, *, now: datetime) -> int:
    """Lease the rights of meetings that are about to begin to the tablets at their guests' gates. Returns how many."""
    places = _tablets(session, now=now)
    if not places:
        return 0
    query = (
        select(Pass.id, Guest.entrance_id, Meeting.policy, Pass.not_after)
        .join(Guest, Guest.id == Pass.guest_id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .outerjoin(Admission, Admission.pass_id == Pass.id)
        .where(
            Pass.state == PassState.VALID,
            Pass.leased_to.is_(None),
            Pass.not_before <= now + AHEAD,
            Pass.not_after > now,
            Meeting.state == MeetingState.SENT,
            Guest.entrance_id.in_(places),
            Admission.pass_id.is_(None),
        )
        .order_by(Pass.id)
        .limit(MOST)
    )
    wanted = [
        _Right(row.id, _choose(places[row.entrance_id], row.id), Policy(row.policy), row.not_after)
        for row in session.execute(query)
    ]
    return grant(session, wanted, now=now)


@dataclass(frozen=True)
class _Right:
    pass_id: UUID
    device_id: UUID
    policy: Policy
    not_after: datetime


def lend(session: Session, device_id: UUID, pass_ids: Sequence[UUID], *, now: datetime) -> int:
    """Lease these rights to one tablet, as far as the server owns them. Returns how many."""
    query = (
        select(Pass.id, Meeting.policy, Pass.not_after)
        .join(Guest, Guest.id == Pass.guest_id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .where(Pass.id.in_(pass_ids))
        .order_by(Pass.id)
    )
    rows = session.execute(query)
    return grant(session, [_Right(one.id, device_id, Policy(one.policy), one.not_after) for one in rows], now=now)


def grant(session: Session, wanted: Sequence[_Right], *, now: datetime) -> int:
    """Take each right out of the server's hands, then lease those that were not used meanwhile."""
    mine: list[_Right] = []
    for right in wanted:
        # Waits for whoever is admitting this pass; whoever comes later sees it as leased (admissions_sql.ENTER).
        taken = session.execute(
            update(Pass)
            .where(Pass.id == right.pass_id, Pass.leased_to.is_(None), Pass.state == PassState.VALID)
            .values(leased_to=right.device_id)
            .returning(Pass.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if taken is not None:
            mine.append(right)
    # A statement of its own: it sees what was admitted while the rows were waited for.
    used = set(session.scalars(select(Admission.pass_id).where(Admission.pass_id.in_([one.pass_id for one in mine]))))
    _give_back(session, used)
    rows = [
        {
            "pass_id": one.pass_id,
            "slot": 0,
            "device_id": one.device_id,
            "policy": one.policy.value,
            "granted_at": now,
            "not_after": one.not_after,
        }
        for one in mine
        if one.pass_id not in used
    ]
    if rows:
        statement = insert(Lease).values(rows)
        fresh = {name: statement.excluded[name] for name in ("device_id", "policy", "granted_at", "not_after")}
        cleared = dict.fromkeys(("epoch", "recalled_at", "recalled_epoch", "released_at", "in_doubt_at"))
        session.execute(
            statement.on_conflict_do_update(index_elements=[Lease.pass_id, Lease.slot], set_={**fresh, **cleared})
        )
    return len(rows)


def recall(session: Session, device_id: UUID, *, now: datetime) -> int:
    """Ask for every right of a tablet back; they return when it has taken up a list without them."""
    asked = session.execute(
        update(Lease)
        .where(Lease.device_id == device_id, Lease.released_at.is_(None), Lease.recalled_at.is_(None))
        .values(recalled_at=now)
        .returning(Lease.pass_id)
    )
    return len(asked.all())


def sign_lists(session: Session, key: SigningKey, *, now: datetime) -> int:
    """Sign a list for each tablet whose leases or boot changed. Returns how many."""
    query = (
        select(TabletLog)
        .join(Device, Device.id == TabletLog.device_id)
        .where(TabletLog.boot_id.is_not(None), TabletLog.forked_at.is_(None), Device.revoked_at.is_(None))
        .order_by(TabletLog.device_id)
    )
    return sum(_sign_one(session, log, key, now) for log in session.scalars(query.with_for_update(of=TabletLog)))


def _sign_one(session: Session, log: TabletLog, key: SigningKey, now: datetime) -> bool:
    rows = session.execute(
        select(Lease, Pass.status_index)
        .join(Pass, Pass.id == Lease.pass_id)
        .where(
            Lease.device_id == log.device_id,
            Lease.released_at.is_(None),
            Lease.recalled_at.is_(None),
            Lease.in_doubt_at.is_(None),
            Pass.state == PassState.VALID,
        )
    ).all()
    entries = {(index, held.slot): Policy(held.policy) for held, index in rows if index is not None}
    content = hashlib.sha256(repr((log.boot_id, sorted(entries.items()))).encode()).digest()
    last = session.get(LeaseEdition, log.device_id)
    if log.boot_id is None or (last.content_sha256 if last else None) == content or not (rows or last):
        return False
    ends = max((held.not_after for held, _ in rows), default=now).replace(microsecond=0)
    log.epoch += 1
    for held, _ in rows:
        held.epoch = held.epoch or log.epoch
        held.not_after = ends
    left_out = and_(Lease.device_id == log.device_id, Lease.released_at.is_(None), Lease.recalled_epoch.is_(None))
    named = [held.pass_id for held, _ in rows]
    session.execute(
        update(Lease)
        .where(left_out, Lease.pass_id.not_in(named), Lease.in_doubt_at.is_(None))
        .values(recalled_epoch=log.epoch, recalled_at=func.coalesce(Lease.recalled_at, now))
    )
    edition = Edition(log.epoch, now.replace(microsecond=0), ends)
    body = lease.build(edition, log.device_id, log.boot_id, entries, key)
    values = {
        "epoch": log.epoch,
        "boot_id": log.boot_id,
        "content_sha256": content,
        "body": body,
        "issued_at": now,
        "not_after": ends,
    }
    statement = insert(LeaseEdition).values(device_id=log.device_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=[LeaseEdition.device_id], set_=values))
    return True


def _tablets(session: Session, *, now: datetime) -> dict[UUID, list[UUID]]:
    """Return the tablets that may hold leases, by gate."""
    query = (
        select(Device.id, Device.checkpoint_id)
        .join(TabletLog, TabletLog.device_id == Device.id)
        .where(
            Device.revoked_at.is_(None),
            or_(Device.last_seen_at.is_(None), Device.last_seen_at > now - HEARD),
            TabletLog.boot_id.is_not(None),
            # Its shift has not ended: what is leased to a tablet that is put away nobody can use.
            TabletLog.closed.is_(False),
            TabletLog.forked_at.is_(None),
        )
        .order_by(Device.id)
    )
    places: dict[UUID, list[UUID]] = {}
    for device_id, checkpoint_id in session.execute(query):
        places.setdefault(checkpoint_id, []).append(device_id)
    return places


def _choose(tablets: Sequence[UUID], pass_id: UUID) -> UUID:
    return tablets[pass_id.int % len(tablets)]


def _give_back(session: Session, pass_ids: set[UUID]) -> None:
    if pass_ids:
        session.execute(
            update(Pass)
            .where(Pass.id.in_(pass_ids))
            .values(leased_to=None)
            .execution_options(synchronize_session=False)
        )
