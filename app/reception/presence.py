"""Who is in a building now: guests whose right to enter is used and not given back, and visitors who were let in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.i18n import local
from app.core.permissions import Actor, Permission, house
from app.gate.models import Admission, Checkpoint, Scan
from app.meetings.models import Building, Guest, Meeting, Pass, Room
from app.reception import places
from app.reception.models import DeskEntry, Direction, VisitState, WalkIn
from app.registry.search import fold

# The entrance of a building.
ENTRANCE: Final = 0


@dataclass(frozen=True)
class Present:
    """Somebody inside; `person_id` is the guest's or the walk-in's."""

    person_id: UUID
    name: str
    organisation: str
    # Whom they came to see: the meeting's host, or the visitor's.
    host: str
    place: str
    zone: int
    came_at: datetime
    until: datetime
    walk_in: bool

    def over_stays(self, now: datetime) -> bool:
        return now > self.until


def inside(session: Session, building_id: UUID) -> list[Present]:
    """Return everybody in the building, by name without marks."""
    guests = [_guest(row) for row in session.execute(_guests(building_id))]
    # A pass of several days is one person.
    people = {one.person_id: one for one in guests} | {one.person_id: one for one in _walk_ins(session, building_id)}
    return sorted(people.values(), key=lambda one: fold(one.name))


def count(session: Session, building_id: UUID) -> int:
    """Return how many are in the building."""
    walk_ins = select(func.count()).where(WalkIn.building_id == building_id, WalkIn.state == VisitState.INSIDE)
    present = _admitted(building_id).with_only_columns(func.count(Pass.guest_id.distinct()))
    return (session.scalar(present) or 0) + (session.scalar(walk_ins) or 0)


def over_time(session: Session, building_ids: Collection[UUID], *, now: datetime) -> Mapping[UUID, int]:
    """Return how many are still inside each building after the time until which they may stay; no building without."""
    guests = (
        select(Checkpoint.building_id, func.count(Pass.guest_id.distinct()))
        .join(Admission, Admission.checkpoint_id == Checkpoint.id)
        .join(Pass, Pass.id == Admission.pass_id)
        .where(Checkpoint.building_id.in_(building_ids), Admission.left_at.is_(None), Pass.not_after < now)
        .group_by(Checkpoint.building_id)
    )
    visitors = (
        select(WalkIn.building_id, func.count())
        .where(WalkIn.building_id.in_(building_ids), WalkIn.state == VisitState.INSIDE, WalkIn.until < now)
        .group_by(WalkIn.building_id)
    )
    counted: Counter[UUID] = Counter()
    for query in (guests, visitors):
        counted.update(dict(session.execute(query).all()))
    return counted


def look(
    session: Session, actor: Actor, building_id: UUID, *, again: bool, now: datetime
) -> tuple[Building, list[Present]]:
    """Return who is inside, for somebody who looks at the list; the look is written into the log.

    A list that refreshes itself (`again`) is the look that was written down when it was opened.
    """
    needed = Permission.RECEIVE_VISITORS if actor.may(Permission.RECEIVE_VISITORS) else Permission.CALL_ROLL
    building = places.find(session, actor, needed, building_id)
    found = inside(session, building_id)
    if not again:
        audit.record(
            session,
            actor,
            "presence_viewed",
            object_kind="building",
            object_id=building.id,
            agency_id=building.keeper_id,
            people=len(found),
        )
    return building, found


def by_zone(found: Sequence[Present]) -> Mapping[int, int]:
    """Return how many are in each zone, the entrance first."""
    return dict(sorted(Counter(one.zone for one in found).items()))


def close_out(session: Session, *, now: datetime) -> int:
    """Write out everybody who came before today and was never written out, and return how many; again, nobody.

    The moment is today's first, so that nobody reads a time at which somebody was seen leaving.
    """
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    left = session.execute(
        update(Admission)
        .where(Admission.left_at.is_(None), Admission.admitted_at < midnight, Pass.id == Admission.pass_id)
        .where(Pass.not_after < now, Checkpoint.id == Admission.checkpoint_id)
        .values(left_at=midnight)
        .returning(Pass.guest_id, Checkpoint.building_id)
    ).all()
    for guest_id, building_id in left:
        row = {"id": uuid4(), "guest_id": guest_id, "building_id": building_id, "at": midnight}
        session.execute(insert(DeskEntry).values(row | {"direction": Direction.OUT, "reason": "closing"}))
    visitors = session.execute(
        update(WalkIn)
        .where(WalkIn.state == VisitState.INSIDE, WalkIn.came_at < midnight)
        .values(state=VisitState.LEFT, left_at=midnight)
        .returning(WalkIn.id)
    ).all()
    total = len(left) + len(visitors)
    if total:
        audit.record(
            session, house("closing"), "visitors_closed_out", object_kind="house", object_id="presence", people=total
        )
    return total


def _admitted(building_id: UUID) -> Select[Admission]:
    return (
        select(Admission)
        .join(Pass, Pass.id == Admission.pass_id)
        .join(Checkpoint, Checkpoint.id == Admission.checkpoint_id)
        .where(Checkpoint.building_id == building_id, Admission.left_at.is_(None))
    )


def _guests(building_id: UUID) -> Select[UUID, str, str, str, str, int, datetime, datetime]:
    """Statement of the guests inside, each with the zone of the last door that let them through."""
    last = (
        select(Checkpoint.zone)
        .join(Scan, Scan.checkpoint_id == Checkpoint.id)
        .where(
            Scan.pass_id == Admission.pass_id,
            Checkpoint.building_id == building_id,
            Scan.outcome == "admit",
            Scan.direction == 0,
        )
        .order_by(Scan.scanned_at.desc())
        .limit(1)
        .correlate(Admission)
        .scalar_subquery()
    )
    return (
        _admitted(building_id)
        .join(Guest, Guest.id == Pass.guest_id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .with_only_columns(
            Guest.id,
            Guest.name,
            Guest.organisation,
            Meeting.host,
            Room.name,
            func.coalesce(last, ENTRANCE),
            Admission.admitted_at,
            Pass.not_after,
        )
    )


def _guest(row: Row[UUID, str, str, str, str, int, datetime, datetime]) -> Present:
    return Present(*row, walk_in=False)


def _walk_ins(session: Session, building_id: UUID) -> list[Present]:
    query = select(WalkIn).where(WalkIn.building_id == building_id, WalkIn.state == VisitState.INSIDE)
    return [
        Present(
            one.id,
            one.name,
            one.organisation,
            one.host.label,
            one.purpose,
            ENTRANCE,
            one.came_at or one.created_at,
            one.until or one.created_at,
            walk_in=True,
        )
        for one in session.scalars(query).unique()
    ]
