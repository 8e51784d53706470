"""The roll of an evacuation: started once for a building, marked by several wardens, merged without losing a mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.audit import service as audit
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.meetings.models import Building, Guest, Meeting, Room
from app.reception import places, presence
from app.reception.models import Mark, RollCall, RollMark, RollPerson, WalkIn
from app.registry.search import fold

# So long after a roll has ended, marks that were made before its end still belong to it.
AFTERWARDS: Final = timedelta(hours=12)
# A phone whose clock is ahead by more than this is not believed about when.
AHEAD: Final = timedelta(minutes=2)
MOST: Final = 500


@dataclass(frozen=True)
class SentMark:
    """A mark as a phone sends it."""

    id: UUID
    building_id: UUID
    person_id: UUID
    mark: Mark
    at: datetime


@dataclass(frozen=True)
class Line:
    """A person on the roll with the mark that counts; None before anybody marked them."""

    person_id: UUID
    name: str
    zone: int
    mark: Mark | None
    by: str
    at: datetime | None
    # How many marks there are: more than one is worth a look when they differ.
    marks: int
    disputed: bool


def running(session: Session, building_id: UUID) -> RollCall | None:
    """Return the roll that is being called in a building."""
    return session.scalar(select(RollCall).where(RollCall.building_id == building_id, RollCall.ended_at.is_(None)))


def start(session: Session, actor: Actor, building_id: UUID, *, now: datetime) -> RollCall:
    """Start the roll of a building with everybody who is inside; while one is called, return that one."""
    building = _building(session, actor, building_id)
    if actor.account_id is None:
        raise Forbidden(_l("A roll is called by a person with an account."))
    made = session.execute(
        insert(RollCall)
        .values(building_id=building.id, started_by=actor.account_id, started_at=now)
        .on_conflict_do_nothing(index_elements=["building_id"], index_where=RollCall.ended_at.is_(None))
        .returning(RollCall.id)
    ).scalar_one_or_none()
    if made is None:
        found = running(session, building.id)
        if found is None:
            raise NotFound(_l("The roll has just been ended."))
        return found
    people = [
        {"roll_call_id": made, "person_id": one.person_id, "zone": one.zone}
        for one in presence.inside(session, building.id)
    ]
    if people:
        session.execute(insert(RollPerson), people)
    _record(session, actor, "roll_call_started", building, made, people=len(people))
    return session.get_one(RollCall, made)


def end(session: Session, actor: Actor, roll_call_id: UUID, *, now: datetime) -> RollCall:
    """End a roll; ending it again changes nothing."""
    found = find(session, actor, roll_call_id)
    ended = session.execute(
        update(RollCall)
        .where(RollCall.id == found.id, RollCall.ended_at.is_(None))
        .values(ended_at=now, ended_by=actor.account_id)
        .returning(RollCall.id)
    ).first()
    if ended is not None:
        _record(session, actor, "roll_call_ended", found.building, found.id)
        session.refresh(found)
    return found


def find(session: Session, actor: Actor, roll_call_id: UUID) -> RollCall:
    """Return a roll of a building that the actor keeps. Raises NotFound."""
    found = session.get(RollCall, roll_call_id)
    if found is None:
        raise NotFound(_l("There is no such roll."))
    _building(session, actor, found.building_id)
    return found


def merge(session: Session, actor: Actor, sent: Sequence[SentMark], *, now: datetime) -> list[UUID]:
    """Take marks up and return the ids of all that are kept now; sending them again changes nothing.

    Marks that were made where no network was start the roll of their building if nobody has.
    Raises NotFound for a building outside the actor's scope, Invalid for too many; then nothing is taken.
    """
    if len(sent) > MOST:
        raise Invalid(_l("Too many marks at once."))
    if actor.account_id is None:
        raise Forbidden(_l("A roll is called by a person with an account."))
    # In the order of time, so that the first mark after a roll's end begins the next and the others join it.
    taken: Counter[UUID] = Counter()
    known = set(session.scalars(select(RollMark.id).where(RollMark.id.in_([one.id for one in sent]))))
    for one in sorted(sent, key=lambda mark: (mark.building_id, mark.at)):
        if one.id in known:
            continue
        roll = _roll_of(session, actor, one, now)
        row = {
            "id": one.id,
            "roll_call_id": roll.id,
            "person_id": one.person_id,
            "mark": one.mark,
            "account_id": actor.account_id,
            "marked_at": min(one.at, now + AHEAD),
            "received_at": now,
        }
        kept = insert(RollMark).values(row).on_conflict_do_nothing(index_elements=["id"]).returning(RollMark.id)
        taken[roll.id] += len(session.execute(kept).all())
    for roll_call_id, marks in taken.items():
        if marks:
            building = session.get_one(RollCall, roll_call_id).building
            _record(session, actor, "roll_marked", building, roll_call_id, marks=marks)
    return [one.id for one in sent]


def lines(session: Session, roll: RollCall) -> list[Line]:
    """Return everybody on the roll, those who are missing or unmarked first, then by name."""
    marks = marks_of(session, roll.id)
    zones = {
        one.person_id: one.zone for one in session.scalars(select(RollPerson).where(RollPerson.roll_call_id == roll.id))
    }
    people = set(zones) | set(marks)
    names = _names(session, roll.building_id, people)
    labels = accounts.labels(session, {one.account_id for all_ in marks.values() for one in all_})
    found = [_line(one, names, zones.get(one, 0), marks.get(one, []), labels) for one in people]
    return sorted(found, key=lambda line: (_urgency(line), fold(line.name)))


def people(session: Session, roll: RollCall) -> list[tuple[UUID, str, int]]:
    """Return everybody on the roll or marked since: id, name and zone."""
    query = select(RollPerson.person_id, RollPerson.zone).where(RollPerson.roll_call_id == roll.id)
    on_it = dict(session.execute(query).all())
    marked = session.scalars(select(RollMark.person_id).where(RollMark.roll_call_id == roll.id)).all()
    names = _names(session, roll.building_id, {*on_it, *marked})
    return [(one, names.get(one, "–"), on_it.get(one, 0)) for one in {*on_it, *marked}]


def counts(found: Iterable[Line]) -> dict[str, int]:
    """Return how many are safe, missing, not inside, and not yet marked (`unmarked`)."""
    counted = dict.fromkeys([*(mark.value for mark in Mark), "unmarked"], 0)
    for line in found:
        counted[line.mark.value if line.mark else "unmarked"] += 1
    return counted


def _roll_of(session: Session, actor: Actor, mark: SentMark, now: datetime) -> RollCall:
    """Return the first roll that had not ended when the mark was made; without one, a roll begins."""
    _building(session, actor, mark.building_id)
    at = min(mark.at, now + AHEAD)
    query = (
        select(RollCall)
        .where(
            RollCall.building_id == mark.building_id,
            RollCall.ended_at.is_(None) | ((RollCall.ended_at > now - AFTERWARDS) & (RollCall.ended_at + AHEAD >= at)),
        )
        .order_by(RollCall.started_at)
        .limit(1)
    )
    return session.scalars(query).first() or start(session, actor, mark.building_id, now=now)


def marks_of(session: Session, roll_call_id: UUID) -> dict[UUID, list[RollMark]]:
    """Return the marks of each person, the one that counts last: the newest, and among equals the greater id."""
    query = select(RollMark).where(RollMark.roll_call_id == roll_call_id).order_by(RollMark.marked_at, RollMark.id)
    found: dict[UUID, list[RollMark]] = {}
    for one in session.scalars(query):
        found.setdefault(one.person_id, []).append(one)
    return found


def _line(
    person_id: UUID,
    names: Mapping[UUID, str],
    zone: int,
    marks: Sequence[RollMark],
    labels: Mapping[UUID, str],
) -> Line:
    last = marks[-1] if marks else None
    return Line(
        person_id,
        names.get(person_id, "–"),
        zone,
        Mark(last.mark) if last else None,
        labels.get(last.account_id, "–") if last else "",
        last.marked_at if last else None,
        len(marks),
        disputed=len({one.mark for one in marks}) > 1,
    )


def _names(session: Session, building_id: UUID, people: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of those who could be in this building; what a phone sends names nobody else."""
    wanted = list(people)
    guests = (
        select(Guest.id, Guest.name)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .where(Guest.id.in_(wanted), Room.building_id == building_id)
    )
    visitors = select(WalkIn.id, WalkIn.name).where(WalkIn.id.in_(wanted), WalkIn.building_id == building_id)
    return {person_id: name for query in (guests, visitors) for person_id, name in session.execute(query)}


def _urgency(line: Line) -> int:
    return {Mark.MISSING: 0, None: 1, Mark.SAFE: 2, Mark.NOT_INSIDE: 3}[line.mark]


def _building(session: Session, actor: Actor, building_id: UUID) -> Building:
    return places.find(session, actor, Permission.CALL_ROLL, building_id)


def _record(session: Session, actor: Actor, act: str, building: Building, roll_call_id: UUID, **facts: int) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="roll_call",
        object_id=roll_call_id,
        agency_id=building.keeper_id,
        **facts,
    )
