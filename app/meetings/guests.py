"""Guests of a meeting: put on the list, corrected, and taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.meetings import passes
from app.meetings import service as meetings
from app.meetings.entered import one_line
from app.meetings.models import Guest, Meeting
from app.notices import service as notices

_LONGEST: Final = 120
_LONGEST_DETAIL: Final = {"title": 80, "seat": 40, "needs": 120}


@dataclass(frozen=True)
class NewGuest:
    """A guest as entered: checked, in NFC."""

    name: str
    email: str
    organisation: str
    # As it stands in the letter: post, rank, form of address.
    title: str = ""
    seat: str = ""
    # What helps them come in.
    needs: str = ""


def read(name: str, email: str, organisation: str, title: str = "", seat: str = "", needs: str = "") -> NewGuest:
    """Return a checked guest. Raises Invalid with a sentence about the first thing wrong."""
    clean_name, clean_organisation = one_line(name), one_line(organisation)
    if not clean_name:
        raise Invalid(_l("The name is missing."))
    if len(clean_name) > _LONGEST or len(clean_organisation) > _LONGEST:
        raise Invalid(_l("The name or organisation is over 120 characters long."))
    details = {"title": one_line(title), "seat": one_line(seat), "needs": one_line(needs)}
    if any(len(text) > _LONGEST_DETAIL[name] for name, text in details.items()):
        raise Invalid(_l("Post, seat or help at the door is too long."))
    try:
        # ASCII only: too few mail servers take other addresses (RFC 6531).
        valid = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid(_l("The e-mail address is not right.")) from error
    return NewGuest(clean_name, valid.ascii_email or valid.normalized, clean_organisation, **details)


def of_meeting(session: Session, meeting: Meeting) -> Sequence[Guest]:
    """Return the guests on the list by name, each followed by who comes with them."""
    query = select(Guest).where(Guest.meeting_id == meeting.id, Guest.removed_at.is_(None)).order_by(Guest.name)
    found = session.scalars(query).unique().all()
    brought: dict[UUID | None, list[Guest]] = {}
    for one in found:
        brought.setdefault(one.of_guest_id, []).append(one)
    return [one for guest in brought.get(None, []) for one in (guest, *brought.get(guest.id, []))]


def add(session: Session, actor: Actor, meeting_id: UUID, guest: NewGuest) -> Guest:
    """Add one guest. Raises Conflict if the address is on the list already or the meeting was cancelled."""
    meeting = meetings.open_for_change(session, actor, meeting_id)
    if guest.email.lower() in addresses(session, meeting):
        raise Conflict(_l("This e-mail address is on the list already."))
    added = _insert(session, meeting, guest)
    meetings.record(session, actor, "guest_added", meeting, guest=str(added.id))
    return added


def add_all(session: Session, actor: Actor, meeting_id: UUID, guests: Sequence[NewGuest]) -> int:
    """Add the guests of a file who are not on the list yet and return how many: sending it twice adds them once."""
    meeting = meetings.open_for_change(session, actor, meeting_id)
    known = addresses(session, meeting)
    fresh = [guest for guest in guests if guest.email.lower() not in known]
    for guest in fresh:
        _insert(session, meeting, guest)
    meetings.record(session, actor, "guests_imported", meeting, guests=len(fresh))
    return len(fresh)


def find(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID) -> Guest:
    """Return a guest of a meeting of the actor's agencies. Raises NotFound."""
    meeting = meetings.find(session, actor, meeting_id)
    guest = session.get(Guest, guest_id)
    if guest is None or guest.meeting_id != meeting.id:
        raise NotFound(_l("There is no such guest."))
    return guest


def change(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID, new: NewGuest) -> Guest:
    """Correct a guest who was not invited yet, or whose letter came back: that one is invited anew.

    Raises Conflict for everybody else: the letter is out of our hands.
    """
    meeting = meetings.open_for_change(session, actor, meeting_id)
    guest = find(session, actor, meeting_id, guest_id)
    came_back = guest.invited_at is not None and notices.came_back(session, guest.id)
    if guest.removed_at is not None or (guest.invited_at is not None and not came_back):
        raise Conflict(
            _l("This guest was invited already. Nothing was changed."),
            _l("Withdraw the invitation, then add them again."),
        )
    if new.email.lower() != guest.email.lower() and new.email.lower() in addresses(session, meeting):
        raise Conflict(_l("This e-mail address is on the list already."))
    guest.name, guest.email, guest.organisation = new.name, new.email, new.organisation
    guest.title, guest.seat, guest.needs = new.title, new.seat, new.needs
    if came_back:
        passes.replace(session, guest)
    meetings.record(session, actor, "guest_changed", meeting, guest=str(guest.id))
    return guest


def remove(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID, *, now: datetime) -> Guest:
    """Take a guest and who comes with them off the list, and withdraw what was sent. Again, it changes nothing."""
    guest = find(session, actor, meeting_id, guest_id)
    # A pass that is being signed right now is waited for, and then ended like any other.
    session.refresh(guest, with_for_update={"of": Guest})
    if guest.removed_at is None:
        for one in (guest, *_companions(session, guest)):
            passes.withdraw(session, one)
            one.removed_at = now
        meetings.record(session, actor, "guest_removed", guest.meeting, guest=str(guest.id))
    return guest


def addresses(session: Session, meeting: Meeting) -> set[str]:
    """Return the addresses on the list, in small letters."""
    query = select(func.lower(Guest.email)).where(Guest.meeting_id == meeting.id, Guest.removed_at.is_(None))
    return set(session.scalars(query))


def _companions(session: Session, guest: Guest) -> Sequence[Guest]:
    """Return who comes with a guest, each held until the transaction ends."""
    query = select(Guest).where(Guest.of_guest_id == guest.id, Guest.removed_at.is_(None))
    return session.scalars(query.with_for_update(of=Guest)).unique().all()


def _insert(session: Session, meeting: Meeting, guest: NewGuest) -> Guest:
    added = Guest(meeting_id=meeting.id, **asdict(guest))
    session.add(added)
    session.flush()
    return added
