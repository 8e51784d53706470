"""The gate that stands in an invitation, chosen when it is made: its tablet may hold the right to admit.

Gates stand above meetings, so the choice is theirs to register.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.meetings.models import Guest


@dataclass(frozen=True)
class Entrance:
    checkpoint_id: UUID
    name: str


# Of a building, for a guest; None where the building has no gate that could tell.
Chooser = Callable[[Session, UUID, UUID], Entrance | None]
_choosers: Final[list[Chooser]] = []


def register_chooser(chooser: Chooser) -> None:
    """Let the gates choose; doing it twice changes nothing."""
    if chooser not in _choosers:
        _choosers.append(chooser)


def assign(session: Session, guest: Guest) -> None:
    """Give a guest an entrance of the building that the meeting is in now; one that was named there before stays."""
    building_id = guest.meeting.room.building_id
    found = next((one for choose in _choosers if (one := choose(session, building_id, guest.id))), None)
    guest.entrance_id, guest.entrance = (found.checkpoint_id, found.name) if found is not None else (None, "")
