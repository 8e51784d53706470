"""Who came to a meeting: from the gates' admissions, for the agency that called it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Sentence
from app.core.permissions import Actor
from app.gate.models import Admission, Checkpoint
from app.meetings import guests, service
from app.meetings.models import Guest, Meeting, Pass, Reply


class Standing(StrEnum):
    INSIDE = "inside"
    LEFT = "left"
    EXPECTED = "expected"
    DECLINED = "declined"
    ABSENT = "absent"


WORDS: Final[dict[Standing, Sentence]] = {
    Standing.INSIDE: _l("Inside"),
    Standing.LEFT: _l("Has left"),
    Standing.EXPECTED: _l("Expected"),
    Standing.DECLINED: _l("Said no"),
    Standing.ABSENT: _l("Did not come"),
}
CAME: Final = (Standing.INSIDE, Standing.LEFT)


@dataclass(frozen=True)
class Attendee:
    """Somebody on the list, and what the gates saw of them."""

    guest: Guest
    standing: Standing
    # The first entry, and the last leaving; None while inside or where no gate saw it.
    came_at: datetime | None = None
    gate: str = ""
    left_at: datetime | None = None
    entries: int = 0


@dataclass(frozen=True)
class Attendance:
    meeting: Meeting
    people: Sequence[Attendee]

    @property
    def counts(self) -> Mapping[Standing, int]:
        """How many there are of each standing, in the order of `WORDS`."""
        found = Counter(one.standing for one in self.people)
        return {standing: found[standing] for standing in WORDS if found[standing]}

    @property
    def came(self) -> int:
        return sum(one.standing in CAME for one in self.people)


def of_meeting(session: Session, actor: Actor, meeting_id: UUID, *, now: datetime) -> Attendance:
    """Return everybody who was invited and is on the list. Raises NotFound for another agency's meeting."""
    meeting = service.find(session, actor, meeting_id)
    entered = _entered(session, meeting)
    is_over = now > meeting.ends_at
    invited = [one for one in guests.of_meeting(session, meeting) if one.invited_at is not None or one.id in entered]
    return Attendance(meeting, [_attendee(one, entered.get(one.id, ()), is_over=is_over) for one in invited])


def note_export(session: Session, actor: Actor, meeting: Meeting) -> None:
    """Record that somebody took the list of names with them."""
    service.record(session, actor, "attendance_exported", meeting)


def _entered(session: Session, meeting: Meeting) -> Mapping[UUID, Sequence[tuple[Admission, str]]]:
    query = (
        select(Pass.guest_id, Admission, Checkpoint.name)
        .join(Admission, Admission.pass_id == Pass.id)
        .join(Checkpoint, Checkpoint.id == Admission.checkpoint_id)
        .join(Guest, Guest.id == Pass.guest_id)
        .where(Guest.meeting_id == meeting.id)
        .order_by(Admission.admitted_at)
    )
    found: dict[UUID, list[tuple[Admission, str]]] = {}
    for guest_id, admission, gate in session.execute(query):
        found.setdefault(guest_id, []).append((admission, gate))
    return found


def _attendee(guest: Guest, entered: Iterable[tuple[Admission, str]], *, is_over: bool) -> Attendee:
    seen = list(entered)
    if not seen:
        away = Standing.ABSENT if is_over else Standing.EXPECTED
        return Attendee(guest, Standing.DECLINED if guest.answer == Reply.NO else away)
    first, gate = seen[0]
    leavings = [admission.left_at for admission, _ in seen if admission.left_at is not None]
    is_inside = len(leavings) < len(seen)
    return Attendee(
        guest,
        Standing.INSIDE if is_inside else Standing.LEFT,
        first.admitted_at,
        gate,
        None if is_inside else max(leavings),
        sum(admission.entries for admission, _ in seen),
    )
