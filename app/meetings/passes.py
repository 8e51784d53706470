"""Passes: queued for each guest, signed by `worker` with the agency's key, found again by the gate, ended here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import distinct, exists, func, select, update
from sqlalchemy.orm import Session

from app.certificates import register
from app.certificates.models import Certificate
from app.core.errors import NotFound
from app.core.queue import enqueue
from app.core.settings import Settings
from app.meetings import desk_code, sealing
from app.meetings.models import Guest, Meeting, MeetingState, Pass, PassState
from app.meetings.sealing import Shown
from pki.keys import SigningKey
from pki.passes import cose, digits
from pki.passes.claims import SECRET_LENGTH, PassClaims, PassFlags
from pki.passes.lease import Policy
from pki.passes.status import CAPACITY, PassStatus

ISSUE_TASK: Final = "meetings.issue_pass"
CANCEL_TASK: Final = "meetings.send_cancellation"
# The door is open from an hour before the meeting until half an hour after it.
BEFORE: Final = timedelta(minutes=60)
AFTER: Final = timedelta(minutes=30)
# A gate that was long without a network must not find another pass in the place of an old one.
PLACE_KEPT: Final = timedelta(days=7)
_ZONES: Final = 0xFE
_STATUS: Final = {PassState.WITHDRAWN: PassStatus.WITHDRAWN, PassState.CHANGED: PassStatus.CHANGED}


@dataclass(frozen=True)
class Issued:
    """A fresh pass and what is shown of it."""

    row: Pass
    shown: Shown
    # Whether it takes the place of an earlier pass.
    replaces: bool


@dataclass(frozen=True)
class Progress:
    """How many guests are to get an invitation, and how many of these are made."""

    asked: int
    made: int


def progress(session: Session, meeting: Meeting) -> Progress:
    """Return how far `worker` is with the invitations that were sent or changed last."""
    valid = exists().where(Pass.guest_id == Guest.id, Pass.state == PassState.VALID)
    invited = (Guest.meeting_id == meeting.id, Guest.removed_at.is_(None), Guest.invited_at.is_not(None))
    asked, made = session.execute(
        select(func.count(), func.count().filter(valid)).select_from(Guest).where(*invited)
    ).one()
    return Progress(asked, made)


def not_invited(session: Session, meeting: Meeting) -> Sequence[Guest]:
    """Return the guests on the list to whom no invitation was sent."""
    query = select(Guest).where(Guest.meeting_id == meeting.id, Guest.removed_at.is_(None), Guest.invited_at.is_(None))
    return session.scalars(query.order_by(Guest.name)).unique().all()


def holders(session: Session, meeting: Meeting) -> int:
    """Return how many guests would be told if the meeting were cancelled now."""
    query = select(func.count(distinct(Pass.guest_id))).join(Guest, Guest.id == Pass.guest_id)
    return session.scalar(query.where(Guest.meeting_id == meeting.id, Pass.state != PassState.WITHDRAWN)) or 0


def guest_ids(session: Session, meeting: Meeting) -> Sequence[UUID]:
    """Return every guest who is or was on the list."""
    return session.scalars(select(Guest.id).where(Guest.meeting_id == meeting.id)).all()


def may_sign(session: Session, meeting: Meeting, *, now: datetime) -> bool:
    return register.pass_signer_of(session, meeting.agency_id, now=now) is not None


def queue_issue(session: Session, guest: Guest) -> None:
    enqueue(session, ISSUE_TASK, {"guest_id": str(guest.id)}, lock=f"guest:{guest.id}")


def claim_guest(session: Session, guest_id: UUID) -> Guest | None:
    """Hold a guest and their meeting for issuing and return the guest; None if there is nothing to issue (again).

    While the pass is signed the meeting can be neither changed nor cancelled and the guest not taken off the list:
    whoever does that waits, and then finds the new pass to end.
    """
    session.scalar(select(Meeting).join(Guest).where(Guest.id == guest_id).with_for_update(read=True, of=Meeting))
    guest = session.get(Guest, guest_id, with_for_update={"of": Guest})
    if guest is None or guest.removed_at is not None or guest.meeting.state != MeetingState.SENT:
        return None
    valid = session.scalar(select(Pass.id).where(Pass.guest_id == guest.id, Pass.state == PassState.VALID))
    return None if valid is not None else guest


def issue(
    session: Session, settings: Settings, guest: Guest, signer: Certificate, key: SigningKey, *, now: datetime
) -> Issued:
    """Sign a pass for a guest and store it; the guest's page and number for the desk stay through every new pass."""
    meeting, pass_id, secret = guest.meeting, uuid4(), secrets.token_bytes(SECRET_LENGTH)
    claims = PassClaims(
        not_before=_whole_minute(meeting.starts_at - BEFORE),
        validity=_whole_minute(meeting.ends_at + AFTER) - _whole_minute(meeting.starts_at - BEFORE),
        pass_id=secret,
        meeting=meeting.number,
        status_index=_free_index(session),
        # The entrance needs no zone.
        zones=meeting.zones & _ZONES,
        flags=_flags(meeting),
    )
    token = cose.sign(claims.encode(), kid=register.kid_of(signer), key=key)
    earlier = newest_of(session, guest.id)
    kept = sealing.open_sealed(settings, earlier.id, earlier.sealed) if earlier is not None else None
    shown = Shown(
        digits.encode(token),
        kept.page_token if kept else secrets.token_urlsafe(24),
        (kept.desk_code if kept else "") or desk_code.make(session, settings, guest),
    )
    row = Pass(
        id=pass_id,
        guest_id=guest.id,
        secret_sha256=hashlib.sha256(secret).digest(),
        status_index=claims.status_index,
        state=PassState.VALID,
        sealed=sealing.seal(settings, pass_id, shown),
        signer_certificate_id=signer.id,
        not_before=claims.not_before,
        not_after=claims.not_after,
        issued_at=now,
    )
    session.add(row)
    guest.page_sha256 = hashlib.sha256(shown.page_token.encode()).digest()
    session.flush()
    return Issued(row, shown, earlier is not None)


def replace_all(session: Session, meeting: Meeting) -> None:
    """Let every pass of a meeting end as changed and queue a new one for each guest who was invited."""
    _end(session, meeting, PassState.CHANGED)
    query = select(Guest).where(
        Guest.meeting_id == meeting.id, Guest.removed_at.is_(None), Guest.invited_at.is_not(None)
    )
    for guest in session.scalars(query).unique():
        queue_issue(session, guest)


def replace(session: Session, guest: Guest) -> None:
    """Let the pass of one guest end as changed and queue a new one, with a new letter."""
    _end(session, guest.meeting, PassState.CHANGED, guest_id=guest.id)
    queue_issue(session, guest)


def withdraw_all(session: Session, meeting: Meeting) -> int:
    """End every pass of a meeting and queue the word to each guest who held one. Returns how many."""
    return _tell(session, _end(session, meeting, PassState.WITHDRAWN))


def withdraw(session: Session, guest: Guest) -> int:
    """End the pass of one guest and queue the word to them. Returns 0 if they held none."""
    return _tell(session, _end(session, guest.meeting, PassState.WITHDRAWN, guest_id=guest.id))


def newest_of(session: Session, guest_id: UUID) -> Pass | None:
    query = select(Pass).where(Pass.guest_id == guest_id).order_by(Pass.issued_at.desc()).limit(1)
    return session.scalar(query)


def has_letter(session: Session, row: Pass) -> bool:
    """Say whether a sealed letter is kept for the pass."""
    return session.scalar(select(Pass.letter.is_not(None)).where(Pass.id == row.id)) is True


def keep_letter(settings: Settings, row: Pass, letter: bytes) -> None:
    """Keep the sealed letter of a pass: encrypted, and found again by its digest."""
    row.letter = sealing.seal_letter(settings, row.id, letter)
    row.letter_sha256 = hashlib.sha256(letter).digest()


def by_letter(session: Session, digests: Collection[bytes]) -> Pass | None:
    """Return the pass whose letter has one of these SHA-256."""
    return session.scalar(select(Pass).where(Pass.letter_sha256.in_(digests)).limit(1))


def by_secret(session: Session, secret: bytes) -> Pass | None:
    """Return the pass with this secret id, for the gate."""
    return session.scalar(select(Pass).where(Pass.secret_sha256 == hashlib.sha256(secret).digest()))


def by_page_token(session: Session, page_token: str) -> Guest:
    """Return the guest whose page this is. Raises NotFound."""
    guest = session.scalar(select(Guest).where(Guest.page_sha256 == hashlib.sha256(page_token.encode()).digest()))
    if guest is None:
        raise NotFound(_l("This invitation does not exist, or its address was not copied completely."))
    return guest


def ended_statuses(session: Session, *, now: datetime) -> dict[int, PassStatus]:
    """Return place and status of every pass that ended before its time, for the gates' status list."""
    query = select(Pass.status_index, Pass.state).where(Pass.state != PassState.VALID, Pass.not_after > now)
    return {index: _STATUS[PassState(state)] for index, state in session.execute(query) if index is not None}


def give_places_back(session: Session, *, now: datetime) -> int:
    """Let passes that ended a week ago give up their place in the status list; return how many."""
    ended = update(Pass).where(Pass.status_index.is_not(None), Pass.not_after < now - PLACE_KEPT)
    return len(session.scalars(ended.values(status_index=None).returning(Pass.id)).all())


def status_of(row: Pass) -> PassStatus:
    return _STATUS.get(PassState(row.state), PassStatus.VALID)


def _end(session: Session, meeting: Meeting, to: PassState, *, guest_id: UUID | None = None) -> set[UUID]:
    """End passes and return whose. Withdrawing ends a changed pass too: its guest still counts on being invited."""
    from_states = {PassState.VALID} if to is PassState.CHANGED else {PassState.VALID, PassState.CHANGED}
    guests = select(Guest.id).where(Guest.meeting_id == meeting.id)
    if guest_id is not None:
        guests = guests.where(Guest.id == guest_id)
    ended = session.execute(
        update(Pass)
        .where(Pass.guest_id.in_(guests), Pass.state.in_(from_states))
        .values(state=to)
        .returning(Pass.guest_id)
    )
    return set(ended.scalars())


def _tell(session: Session, told: set[UUID]) -> int:
    for guest_id in told:
        enqueue(session, CANCEL_TASK, {"guest_id": str(guest_id)}, lock=f"guest:{guest_id}")
    return len(told)


def _free_index(session: Session) -> int:
    """Return a place in the status list that no pass has, at random, so that neighbours tell nothing."""
    while True:
        index = secrets.randbelow(CAPACITY)
        if session.scalar(select(Pass.id).where(Pass.status_index == index)) is None:
            return index


def _flags(meeting: Meeting) -> PassFlags:
    flags = PassFlags.LENIENT if meeting.policy == Policy.LENIENT else PassFlags.NONE
    return flags | PassFlags.ROTATING if meeting.rotating else flags


def _whole_minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
