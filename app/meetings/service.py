"""Meetings: planning, sending, changing, cancelling. Guests are in `guests`, their passes in `passes`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.meetings import passes
from app.meetings.entered import one_line
from app.meetings.models import Building, Guest, Meeting, MeetingState, Reentry, Remind, Room
from app.notices import service as notices
from app.registry import scope
from app.registry.models import Agency
from app.registry.search import fold, pattern
from pki.passes.lease import Policy

LONGEST: Final = timedelta(days=2)


@dataclass(frozen=True)
class Entry:
    """How guests come in."""

    policy: Policy = Policy.STRICT
    rotating: bool = False
    reentry: Reentry = Reentry.NONE


@dataclass(frozen=True)
class Plan:
    """What a meeting is planned to be; times are aware UTC."""

    title: str
    room_id: UUID
    starts_at: datetime
    ends_at: datetime
    host: str
    entry: Entry = Entry()
    reminders: Remind = Remind.NONE


def rooms(session: Session) -> Sequence[Room]:
    """Return every room, by building and name."""
    return session.scalars(select(Room).join(Building).order_by(Building.name, Room.name)).unique().all()


def agencies_of(session: Session, actor: Actor) -> Sequence[Agency]:
    """Return the agencies in whose name the actor may call a meeting."""
    condition = scope.within(actor, Permission.MANAGE_MEETINGS, Agency.id)
    return session.scalars(select(Agency).where(condition).order_by(Agency.name)).all()


def listed(
    session: Session, actor: Actor, *, text: str = "", past: bool = False, now: datetime
) -> Sequence[tuple[Meeting, int]]:
    """Return meetings of the actor's agencies with the number of their guests: those to come, or those that were."""
    count = select(func.count()).where(Guest.meeting_id == Meeting.id, Guest.removed_at.is_(None)).scalar_subquery()
    query = select(Meeting, count).where(scope.within(actor, Permission.MANAGE_MEETINGS, Meeting.agency_id))
    if text.strip():
        query = query.where(Meeting.search_title.like(pattern(text)))
    if past:
        query = query.where(Meeting.ends_at < now).order_by(Meeting.starts_at.desc())
    else:
        query = query.where(Meeting.ends_at >= now).order_by(Meeting.starts_at)
    return session.execute(query.limit(200)).unique().all()


def find(session: Session, actor: Actor, meeting_id: UUID) -> Meeting:
    """Return a meeting of the actor's agencies. Raises NotFound, for another agency's too."""
    meeting = session.get(Meeting, meeting_id)
    if meeting is None or not scope.covers(session, actor, Permission.MANAGE_MEETINGS, meeting.agency_id):
        raise NotFound(_l("There is no such meeting."))
    return meeting


def claim(session: Session, actor: Actor, meeting_id: UUID) -> Meeting:
    """Return a meeting of the actor's agencies, held against everyone else until the transaction ends."""
    meeting = find(session, actor, meeting_id)
    session.refresh(meeting, with_for_update={"of": Meeting})
    return meeting


def open_for_change(session: Session, actor: Actor, meeting_id: UUID) -> Meeting:
    """Return a meeting of the actor's agencies that may still change, held like `claim`. Raises NotFound, Conflict."""
    meeting = claim(session, actor, meeting_id)
    if meeting.state == MeetingState.CANCELLED:
        raise Conflict(_l("This meeting was cancelled. It cannot be changed."))
    return meeting


def clashes(session: Session, plan: Plan, *, besides: UUID | None = None) -> Sequence[Meeting]:
    """Return the meetings that have the room in that time."""
    query = select(Meeting).where(
        Meeting.room_id == plan.room_id,
        Meeting.state != MeetingState.CANCELLED,
        Meeting.starts_at < plan.ends_at,
        Meeting.ends_at > plan.starts_at,
    )
    if besides is not None:
        query = query.where(Meeting.id != besides)
    return session.scalars(query).unique().all()


def create(session: Session, actor: Actor, agency_id: UUID, plan: Plan, *, now: datetime) -> Meeting:
    """Plan a draft. Raises NotFound for an agency that is not the actor's, Conflict if the room is taken."""
    if actor.account_id is None or not scope.covers(session, actor, Permission.MANAGE_MEETINGS, agency_id):
        raise NotFound(_l("There is no such agency."))
    _check(session, plan, now=now)
    meeting = Meeting(
        title=one_line(plan.title),
        search_title=fold(plan.title),
        agency_id=agency_id,
        room_id=plan.room_id,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        host=one_line(plan.host),
        policy=plan.entry.policy,
        rotating=plan.entry.rotating,
        reentry=plan.entry.reentry,
        reminders=plan.reminders.value,
        created_by=actor.account_id,
    )
    session.add(meeting)
    session.flush()
    record(session, actor, "meeting_planned", meeting)
    return meeting


def change(session: Session, actor: Actor, meeting_id: UUID, plan: Plan, *, now: datetime) -> Meeting:
    """Change a meeting. If it was sent and its passes no longer hold true, each is replaced, its guest told."""
    meeting = open_for_change(session, actor, meeting_id)
    _check(session, plan, now=now, besides=meeting.id)
    before = _in_passes(meeting)
    meeting.title, meeting.search_title = one_line(plan.title), fold(plan.title)
    meeting.host, meeting.room_id = one_line(plan.host), plan.room_id
    meeting.starts_at, meeting.ends_at = plan.starts_at, plan.ends_at
    meeting.policy, meeting.rotating, meeting.reentry = plan.entry.policy, plan.entry.rotating, plan.entry.reentry
    meeting.reminders = plan.reminders.value
    session.flush()
    session.expire(meeting, ["room"])
    if meeting.state == MeetingState.SENT and before != _in_passes(meeting):
        meeting.sequence += 1
        passes.replace_all(session, meeting)
    record(session, actor, "meeting_changed", meeting)
    return meeting


def send(session: Session, actor: Actor, meeting_id: UUID, *, now: datetime) -> int:
    """Send the invitations that were not sent yet, and again those that no mail server took; return how many.

    Sending twice sends each letter once.

    Raises Conflict for a cancelled or past meeting, Invalid without guests, Forbidden if the agency may not sign.
    """
    meeting = claim(session, actor, meeting_id)
    if meeting.state == MeetingState.CANCELLED or meeting.ends_at <= now:
        raise Conflict(_l("This meeting is over or was cancelled. Nothing was sent."))
    guests = passes.not_invited(session, meeting)
    if not guests and meeting.state == MeetingState.DRAFT:
        raise Invalid(_l("There are no guests yet."), _l("Add at least one guest, then send."))
    if not passes.may_sign(session, meeting, now=now):
        raise Forbidden(
            _l("Your agency has no valid key for invitations."), _l("Ask the administrator of the city for one.")
        )
    meeting.state = MeetingState.SENT
    for guest in guests:
        guest.invited_at = now
        passes.queue_issue(session, guest)
    again = notices.send_failed_again(session, passes.guest_ids(session, meeting))
    session.flush()
    record(session, actor, "meeting_sent", meeting, guests=len(guests), again=again)
    return len(guests) + again


def cancel(session: Session, actor: Actor, meeting_id: UUID) -> int:
    """Cancel: passes end at once, guests who were invited are told. Returns how many. Again, it changes nothing."""
    meeting = claim(session, actor, meeting_id)
    if meeting.state == MeetingState.CANCELLED:
        return 0
    meeting.state = MeetingState.CANCELLED
    meeting.sequence += 1
    session.flush()
    told = passes.withdraw_all(session, meeting)
    record(session, actor, "meeting_cancelled", meeting, guests=told)
    return told


def record(session: Session, actor: Actor, act: str, meeting: Meeting, **facts: str | int) -> None:
    """Write an act on a meeting into the log, in the transaction of the act."""
    audit.record(session, actor, act, object_kind="meeting", object_id=meeting.id, agency_id=meeting.agency_id, **facts)


def create_demonstration(session: Session) -> list[Building]:
    """Add two buildings with their rooms, and return them."""
    made = []
    for code, name, address, room_names in (
        ("TTHC", "Trung tâm Hành chính", "1 Quảng trường Sông Biếc", ("Phòng họp A1", "Hội trường B")),
        ("TSC", "Trụ sở Sở Khoa học và Công nghệ", "27 Đường Bến Đỏ", ("Phòng 201", "Phòng 302")),
    ):
        building = Building(code=code, name=name, address=address)
        session.add(building)
        session.flush()
        session.add_all(Room(building_id=building.id, name=room_name) for room_name in room_names)
        made.append(building)
    session.flush()
    return made


def _in_passes(meeting: Meeting) -> tuple[object, ...]:
    """Return what stands in passes and letters; whether somebody may come back is the server's to know."""
    return meeting.room_id, meeting.starts_at, meeting.ends_at, meeting.policy, meeting.rotating


def _check(session: Session, plan: Plan, *, now: datetime, besides: UUID | None = None) -> None:
    # Held, so that of two meetings planned at once for a room the second sees the first.
    if session.get(Room, plan.room_id, with_for_update={"of": Room}) is None:
        raise NotFound(_l("There is no such room."))
    if not plan.starts_at < plan.ends_at <= plan.starts_at + LONGEST:
        raise Invalid(_l("The end must be after the start, by two days at the most."))
    if plan.ends_at <= now:
        raise Invalid(_l("The meeting would be over already."), _l("Choose a later time."))
    taken = clashes(session, plan, besides=besides)
    if taken:
        raise Conflict(_l("The room is taken at that time."), _l("Choose another room or another time."))
