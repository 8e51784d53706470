"""Guests at the desk: found by name, let in and out by hand, with a reason and at most once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.settings import Settings
from app.gate.models import Admission, Checkpoint
from app.gate.models_leases import Lease
from app.meetings import desk_code
from app.meetings.models import Building, Guest, Meeting, MeetingState, Pass, PassState, Reentry, Room
from app.reception import places
from app.reception.models import DeskEntry, Direction
from app.reception.words import REASONS
from app.registry.search import fold

MOST: Final = 30


class Answer(StrEnum):
    """What came of letting somebody in or out by hand."""

    ADMITTED = "admitted"
    LEFT = "left"
    # A tablet without network may hold the right; it has been asked to give it back.
    LEASED = "leased"
    ALREADY = "already"


@dataclass(frozen=True)
class Found:
    """A guest of today with what the desk needs to know; `row` None until the pass is made."""

    guest: Guest
    row: Pass | None
    admitted_at: datetime | None
    left_at: datetime | None

    @property
    def inside(self) -> bool:
        return self.admitted_at is not None and self.left_at is None


def search(
    session: Session, settings: Settings, actor: Actor, building_id: UUID, text: str, *, now: datetime
) -> Sequence[Found]:
    """Return guests whose pass opens this building now, by a part of the name or the organisation, or by the eight
    digits of the desk code, which are good all day. Raises TooMany after many codes that nobody has.
    """
    building = places.find(session, actor, Permission.RECEIVE_VISITORS, building_id)
    if any(letter.isdigit() for letter in text):
        guest = desk_code.find(session, settings, building.id, text, now=now)
        if guest is not None:
            return [_found(session, guest)]
    wanted = fold(text)
    if len(wanted) < 2:
        return []
    found = [
        one
        for one in _of_now(session, building, now)
        if wanted in fold(one.guest.name) or wanted in fold(one.guest.organisation)
    ]
    return sorted(found, key=lambda one: fold(one.guest.name))[:MOST]


def find(session: Session, actor: Actor, guest_id: UUID) -> tuple[Building, Found]:
    """Return a guest of a building that the actor keeps. Raises NotFound."""
    guest = session.get(Guest, guest_id)
    if guest is None or guest.removed_at is not None:
        raise NotFound(_l("There is no such guest."))
    building = places.find(session, actor, Permission.RECEIVE_VISITORS, guest.meeting.room.building_id)
    return building, _found(session, guest)


def let_in(session: Session, actor: Actor, guest_id: UUID, *, entry_id: UUID, reason: str, now: datetime) -> Answer:
    """Use the guest's right to enter, as a gate would: at most once, and not while a tablet may use it.

    Raises NotFound, Invalid for an unknown reason, Conflict if the invitation does not hold now.
    """
    building, found = find(session, actor, guest_id)
    _check_reason(reason)
    row = found.row
    if found.guest.meeting.state != MeetingState.SENT or row is None:
        raise Conflict(_l("There is no valid invitation for this person."), _l("Register them as a visitor instead."))
    if not row.not_before <= now <= row.not_after:
        raise Conflict(_l("The invitation is for another time."))
    if session.get(DeskEntry, entry_id) is not None:
        return Answer.ADMITTED
    # Held, so that no tablet is given the right meanwhile (app/gate/leases.py takes the same row first).
    session.refresh(row, with_for_update={"of": Pass})
    if row.state != PassState.VALID:
        raise Conflict(_l("There is no valid invitation for this person."), _l("Register them as a visitor instead."))
    if row.leased_to is not None and found.admitted_at is None:
        _recall(session, row, now)
        return Answer.LEASED
    if not _use(session, building, found, row, entry_id, now):
        return Answer.ALREADY
    _write(session, actor, building, guest_id, entry_id, Direction.IN, reason, now)
    return Answer.ADMITTED


def let_out(session: Session, actor: Actor, guest_id: UUID, *, entry_id: UUID, now: datetime) -> Answer:
    """Write down that a guest has left; doing it again changes nothing."""
    building, found = find(session, actor, guest_id)
    if not found.inside or found.row is None or not _leave(session, found.row.id, now):
        return Answer.ALREADY
    _write(session, actor, building, guest_id, entry_id, Direction.OUT, "left", now)
    return Answer.LEFT


def _found(session: Session, guest: Guest) -> Found:
    row = session.scalar(select(Pass).where(Pass.guest_id == guest.id, Pass.state == PassState.VALID))
    used = session.get(Admission, (row.id, 0)) if row is not None else None
    return Found(guest, row, used.admitted_at if used else None, used.left_at if used else None)


def _of_now(session: Session, building: Building, now: datetime) -> Sequence[Found]:
    query = (
        select(Guest, Pass, Admission)
        .join(Pass, Pass.guest_id == Guest.id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .outerjoin(Admission, (Admission.pass_id == Pass.id) & (Admission.slot == 0))
        .where(
            Room.building_id == building.id,
            Pass.state == PassState.VALID,
            Pass.not_before <= now,
            Pass.not_after >= now,
            Guest.removed_at.is_(None),
        )
    )
    return [
        Found(guest, row, used.admitted_at if used else None, used.left_at if used else None)
        for guest, row, used in session.execute(query).unique()
    ]


def _recall(session: Session, row: Pass, now: datetime) -> None:
    session.execute(
        update(Lease)
        .where(Lease.pass_id == row.id, Lease.released_at.is_(None), Lease.recalled_at.is_(None))
        .values(recalled_at=now)
    )


def _use(session: Session, building: Building, found: Found, row: Pass, entry_id: UUID, now: datetime) -> bool:
    taken = session.execute(
        insert(Admission)
        .values(
            pass_id=row.id,
            slot=0,
            scan_id=entry_id,
            checkpoint_id=_entrance(session, building, found.guest),
            admitted_at=now,
        )
        .on_conflict_do_nothing(index_elements=["pass_id", "slot"])
        .returning(Admission.pass_id)
    ).first()
    if taken is not None:
        return True
    if not _may_return(found.guest.meeting, now):
        return False
    back = session.execute(
        update(Admission)
        .where(Admission.pass_id == row.id, Admission.slot == 0, Admission.left_at.is_not(None))
        .values(left_at=None, entries=Admission.entries + 1)
        .returning(Admission.pass_id)
    ).first()
    return back is not None


def _may_return(meeting: Meeting, now: datetime) -> bool:
    if meeting.reentry == Reentry.DURING:
        return meeting.starts_at <= now <= meeting.ends_at
    return meeting.reentry == Reentry.FREE


def _leave(session: Session, pass_id: UUID, now: datetime) -> bool:
    gone = session.execute(
        update(Admission)
        .where(Admission.pass_id == pass_id, Admission.left_at.is_(None))
        .values(left_at=now)
        .returning(Admission.pass_id)
    ).first()
    return gone is not None


def _entrance(session: Session, building: Building, guest: Guest) -> UUID:
    """Return the gate under which the desk's admission is counted: the guest's own one, else the first entrance."""
    query = (
        select(Checkpoint.id)
        .where(Checkpoint.building_id == building.id, Checkpoint.zone == 0)
        .order_by(func.coalesce(Checkpoint.id == guest.entrance_id, False).desc(), Checkpoint.name)
    )
    found = session.scalars(query.limit(1)).first()
    if found is None:
        raise Conflict(_l("This building has no entrance yet."), _l("Ask the administrator to add one."))
    return found


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise Invalid(_l("Choose why this person is let in by hand."))


def _write(
    session: Session,
    actor: Actor,
    building: Building,
    guest_id: UUID,
    entry_id: UUID,
    direction: Direction,
    reason: str,
    now: datetime,
) -> None:
    row = {
        "id": entry_id,
        "guest_id": guest_id,
        "building_id": building.id,
        "direction": direction,
        "reason": reason,
        "account_id": actor.account_id,
        "at": now,
    }
    session.execute(insert(DeskEntry).values(row).on_conflict_do_nothing(index_elements=["id"]))
    facts = {"direction": direction.value, "reason": reason, "building": str(building.id)}
    audit.record(
        session,
        actor,
        "guest_passed_by_hand",
        object_kind="guest",
        object_id=guest_id,
        agency_id=building.keeper_id,
        **facts,
    )
