"""Who comes with a guest: companions, drivers, interpreters. Each has a pass of their own, on one invitation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, Sentence
from app.core.permissions import Actor
from app.meetings import guests, service
from app.meetings.models import Guest, GuestKind

MOST: Final = 10
WORDS: Final[dict[GuestKind, Sentence]] = {
    GuestKind.COMPANION: _l("Companion"),
    GuestKind.DRIVER: _l("Driver"),
    GuestKind.INTERPRETER: _l("Interpreter"),
}


@dataclass(frozen=True)
class NewCompanion:
    """Somebody who comes along. Without an e-mail of their own, their letter goes to the guest."""

    kind: GuestKind
    name: str
    email: str = ""
    needs: str = ""


def add(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID, new: NewCompanion) -> Guest:
    """Put somebody on the list who comes with a guest; the same person of the same kind twice is one.

    Raises NotFound, Invalid for what is not right, Conflict for a guest who is off the list, comes along themselves, or
    brings ten already.
    """
    meeting = service.open_for_change(session, actor, meeting_id)
    guest = guests.find(session, actor, meeting_id, guest_id)
    # Whoever takes the guest off the list right now is waited for: nobody comes with a guest who does not.
    session.refresh(guest, with_for_update={"of": Guest})
    if guest.removed_at is not None or guest.of_guest_id is not None:
        raise Conflict(_l("Nobody can be added to this guest."))
    if new.kind not in WORDS:
        raise Invalid(_l("Choose whether it is a companion, a driver or an interpreter."))
    # The guest's own address passes the check where the companion has none.
    entered = guests.read(new.name, new.email or guest.email, "", needs=new.needs)
    brought = of(session, guest)
    again = next((one for one in brought if (one.name, one.kind) == (entered.name, new.kind)), None)
    if again is not None:
        return again
    if len(brought) >= MOST:
        raise Conflict(_l("Ten people come with this guest already."), _l("Invite the others as guests."))
    email = entered.email if new.email else ""
    if email and email.lower() in guests.addresses(session, meeting):
        raise Conflict(_l("This e-mail address is on the list already."))
    added = Guest(
        meeting_id=meeting.id,
        name=entered.name,
        email=email,
        organisation=guest.organisation,
        kind=new.kind,
        of_guest_id=guest.id,
        needs=entered.needs,
    )
    session.add(added)
    session.flush()
    facts = {"guest": str(guest.id), "companion": str(added.id), "kind": new.kind.value}
    service.record(session, actor, "companion_added", meeting, **facts)
    return added


def of(session: Session, guest: Guest) -> Sequence[Guest]:
    """Return who is on the list with a guest, by name."""
    query = select(Guest).where(Guest.of_guest_id == guest.id, Guest.removed_at.is_(None)).order_by(Guest.name)
    return session.scalars(query).unique().all()
