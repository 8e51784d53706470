"""The watch list: asked for by one person, agreed to by another, compared on the server before anybody arrives.

The list never leaves the server. A guest who is on it has one bit in their sealed record (pki/passes/roster.py);
supervisors see on their first page how many are expected, and every look at the list itself is written down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.approvals.models import Act
from app.audit import service as audit
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.i18n import moment
from app.core.permissions import Actor, Permission, house
from app.core.settings import Settings
from app.meetings.entered import one_line
from app.meetings.models import Building, Guest, Meeting, Pass, PassState, Room
from app.reception import places
from app.reception.models import VisitState, WalkIn, WatchEntry, WatchState
from app.registry import numbers, scope
from app.registry.search import fold
from pki.passes.roster import RosterFlags

KIND: Final = "watch_entry"
KEEP: Final = Permission.KEEP_WATCH_LIST
LONGEST_TIME: Final = timedelta(days=366)
_LONGEST: Final = 200


@dataclass(frozen=True)
class NewEntry:
    """What is asked for; `building_id` None is every building, `number` a citizen number or empty."""

    building_id: UUID | None
    name: str
    reason: str
    until: datetime
    number: str = ""


@dataclass(frozen=True)
class Match:
    """Somebody expected or inside who is on the list."""

    name: str
    organisation: str
    building: str
    # When the meeting begins, or since when the visitor is at the desk.
    at: datetime
    entry: WatchEntry
    # The number of the card agrees, not only the name.
    by_number: bool


def ask(
    session: Session, settings: Settings, actor: Actor, new: NewEntry, *, entry_id: UUID, now: datetime
) -> WatchEntry:
    """Ask for an entry, which another person must agree to; the same `entry_id` again returns the first.

    Raises NotFound for a building outside the scope, Forbidden for the whole city without such a grant, Invalid.
    """
    building = places.find(session, actor, KEEP, new.building_id) if new.building_id else None
    if actor.account_id is None or not scope.covers(session, actor, KEEP, building.keeper_id if building else None):
        raise Forbidden(_l("Your account is not allowed to ask for this."))
    known = session.get(WatchEntry, entry_id)
    if known is not None:
        return known
    name, reason = one_line(new.name)[:_LONGEST], one_line(new.reason)[:_LONGEST]
    number = numbers.read_number(new.number)
    if not name or not reason:
        raise Invalid(_l("Enter the name and the reason."))
    if new.number and number is None:
        raise Invalid(_l("This is not a citizen number: twelve digits."))
    if not now < new.until <= now + LONGEST_TIME:
        raise Invalid(_l("The end must be a day within the next year."))
    entry = WatchEntry(
        id=entry_id,
        building_id=building.id if building else None,
        name=name,
        search_name=fold(name),
        number_hash=numbers.index_of(settings, number) if number else None,
        reason=reason,
        state=WatchState.ASKED,
        asked_by=actor.account_id,
        asked_at=now,
        until=new.until,
    )
    session.add(entry)
    session.flush()
    agency_id = building.keeper_id if building else None
    # The act names the row only: what it says about a person is kept, and forgotten, in one place.
    approvals.request(session, actor, KIND, {}, agency_id=agency_id, object_kind=KIND, object_id=entry.id, now=now)
    audit.record(session, actor, "watch_asked", object_kind=KIND, object_id=entry.id, agency_id=agency_id)
    return entry


def end(session: Session, actor: Actor, entry_id: UUID, *, now: datetime) -> None:
    """End an entry at once; doing it again changes nothing. Raises NotFound outside the scope."""
    entry = session.get(WatchEntry, entry_id)
    if entry is None or not scope.covers(session, actor, KEEP, _agency_of(session, entry)):
        raise NotFound(_l("There is no such entry."))
    ended = session.execute(
        update(WatchEntry)
        .where(WatchEntry.id == entry.id, WatchEntry.state != WatchState.ENDED)
        .values(state=WatchState.ENDED, ended_at=now)
        .returning(WatchEntry.id)
    ).first()
    if ended is not None:
        agency_id = _agency_of(session, entry)
        audit.record(session, actor, "watch_ended", object_kind=KIND, object_id=entry.id, agency_id=agency_id)


def look(session: Session, actor: Actor, *, now: datetime) -> tuple[Sequence[WatchEntry], Sequence[Match]]:
    """Return the entries of the actor's scope that have not ended, and who of them is expected today or inside.

    The look is written down.
    """
    entries = _entries(session, actor)
    active = [one for one in entries if one.state == WatchState.ACTIVE and one.until > now]
    found = [*_guests(session, active, now), *_visitors(session, active, now)] if active else []
    audit.record(
        session,
        actor,
        "watch_viewed",
        object_kind="watch_list",
        object_id="list",
        entries=len(entries),
        found=len(found),
    )
    return entries, sorted(found, key=lambda one: one.at)


def count_expected(session: Session, actor: Actor, *, now: datetime) -> int:
    """Return how many of the list are expected today or at a desk: a number, so that no look is written down."""
    active = [one for one in _entries(session, actor) if one.state == WatchState.ACTIVE and one.until > now]
    return len([*_guests(session, active, now), *_visitors(session, active, now)]) if active else 0


def flags(session: Session, guest_ids: Collection[UUID]) -> Mapping[UUID, RosterFlags]:
    """Return the bit for guests who are on the list of their building; for app/gate/roster_building.py."""
    query = select(WatchEntry).where(WatchEntry.state == WatchState.ACTIVE, WatchEntry.until > func.now())
    active = session.scalars(query).all()
    if not active:
        return {}
    guests = (
        select(Guest.id, Guest.name, Room.building_id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .where(Guest.id.in_(guest_ids))
    )
    return {
        guest_id: RosterFlags.WATCH
        for guest_id, name, building_id in session.execute(guests)
        if _entry_for(active, fold(name), building_id, None) is not None
    }


def expire(session: Session, *, now: datetime) -> int:
    """End entries whose time is over, or that nobody agreed to in time, and return how many; again, none."""
    stale = (WatchEntry.state == WatchState.ASKED) & (WatchEntry.asked_at < now - approvals.LIFETIME)
    ended = session.execute(
        update(WatchEntry)
        .where(WatchEntry.state != WatchState.ENDED, or_(WatchEntry.until <= now, stale))
        .values(state=WatchState.ENDED, ended_at=now)
        .returning(WatchEntry.id)
    ).all()
    for (entry_id,) in ended:
        audit.record(session, house("retention"), "watch_ended", object_kind=KIND, object_id=entry_id)
    return len(ended)


def _entries(session: Session, actor: Actor) -> Sequence[WatchEntry]:
    query = (
        select(WatchEntry)
        .outerjoin(Building, Building.id == WatchEntry.building_id)
        .where(WatchEntry.state != WatchState.ENDED, scope.within(actor, KEEP, Building.keeper_id))
        .order_by(WatchEntry.search_name)
    )
    return session.scalars(query).all()


def _guests(session: Session, active: Sequence[WatchEntry], now: datetime) -> Iterable[Match]:
    query = (
        select(Guest, Meeting, Room.building_id)
        .join(Pass, Pass.guest_id == Guest.id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .where(Pass.state == PassState.VALID, Pass.not_after > now, Pass.not_before < now + timedelta(days=1))
    )
    for guest, meeting, building_id in session.execute(query).unique():
        entry = _entry_for(active, fold(guest.name), building_id, None)
        if entry is not None:
            place = meeting.room.building.name
            yield Match(guest.name, guest.organisation, place, meeting.starts_at, entry, by_number=False)


def _visitors(session: Session, active: Sequence[WatchEntry], now: datetime) -> Iterable[Match]:
    here = WalkIn.state.not_in((VisitState.LEFT, VisitState.REFUSED))
    query = select(WalkIn).where(here, WalkIn.created_at > now - timedelta(days=1))
    for visit in session.scalars(query).unique():
        entry = _entry_for(active, visit.search_name, visit.building_id, visit.number_hash)
        if entry is not None:
            by_number = entry.number_hash is not None and entry.number_hash == visit.number_hash
            yield Match(visit.name, visit.organisation, visit.building.name, visit.created_at, entry, by_number)


def _entry_for(
    active: Iterable[WatchEntry], name: str, building_id: UUID, number_hash: bytes | None
) -> WatchEntry | None:
    """Return the entry that this person agrees with: by the number where both have one, else by the whole name."""
    for entry in active:
        if entry.building_id not in (None, building_id):
            continue
        if entry.number_hash is not None and number_hash is not None:
            if entry.number_hash == number_hash:
                return entry
        elif entry.search_name == name:
            return entry
    return None


def _agency_of(session: Session, entry: WatchEntry) -> UUID | None:
    building = session.get(Building, entry.building_id) if entry.building_id else None
    return building.keeper_id if building else None


def _execute(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    entry = _entry_of(session, act)
    begun = session.execute(
        update(WatchEntry)
        .where(WatchEntry.id == entry.id, WatchEntry.state == WatchState.ASKED, WatchEntry.until > now)
        .values(state=WatchState.ACTIVE)
        .returning(WatchEntry.id)
    ).first()
    if begun is None:
        raise Conflict(_l("This entry was ended in the meantime."))
    audit.record(session, actor, "watch_begun", object_kind=KIND, object_id=entry.id, agency_id=act.agency_id)


def _describe(session: Session, act: Act) -> approvals.Description:
    entry = _entry_of(session, act)
    building = session.get(Building, entry.building_id) if entry.building_id else None
    return approvals.Description(
        _l("Put %(name)s on the watch list", name=entry.name),
        rows=(
            (_l("Where"), building.name if building else _l("Every building of the city")),
            (_l("Reason"), entry.reason),
            (_l("Until"), moment(entry.until)),
            (_l("Citizen number"), _l("known") if entry.number_hash else _l("not known: the name alone is compared")),
        ),
        impact=(
            _l("Supervisors see when a guest with this name is expected or at a desk."),
            _l("People who only share the name are shown too: look before acting."),
        ),
    )


def _entry_of(session: Session, act: Act) -> WatchEntry:
    entry = session.get(WatchEntry, UUID(act.object_id))
    if entry is None:
        raise NotFound(_l("There is no such entry."))
    return entry


approvals.register(approvals.ActKind(KIND, KEEP, 1, approvals.LIFETIME, _execute, _describe))
