"""Whether guests come: said on their own page, changed until the meeting begins, counted for the organiser."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, Sentence
from app.core.permissions import house
from app.meetings import service
from app.meetings.entered import one_line
from app.meetings.models import Guest, Meeting, MeetingState, Reply

LONGEST_NOTE: Final = 300
WORDS: Final[dict[Reply, Sentence]] = {
    Reply.YES: _l("comes"),
    Reply.MAYBE: _l("may come"),
    Reply.NO: _l("does not come"),
    Reply.NONE: _l("has not answered"),
}
_GUEST: Final = house("guest")


def may_answer(guest: Guest, *, now: datetime) -> bool:
    """Say whether an answer still counts: the guest is invited, and the meeting has not begun."""
    meeting = guest.meeting
    is_invited = guest.removed_at is None and guest.invited_at is not None
    return is_invited and meeting.state == MeetingState.SENT and now < meeting.starts_at


def answer(session: Session, guest: Guest, reply: Reply, note: str, *, now: datetime) -> None:
    """Keep what a guest says; the same answer again changes nothing. The pass stays: people change their minds.

    Raises Invalid for no answer or a long note, Conflict when the meeting began, was cancelled, or the guest is off the
    list.
    """
    session.refresh(guest, with_for_update={"of": Guest})
    if not may_answer(guest, now=now):
        raise Conflict(_l("This meeting has begun, or the invitation has ended. Your answer was not kept."))
    kept = one_line(note)
    if reply is Reply.NONE:
        raise Invalid(_l("Choose whether you come."))
    if len(kept) > LONGEST_NOTE:
        raise Invalid(_l("The note is over 300 characters long."))
    if (guest.answer, guest.answer_note) == (reply, kept):
        return
    guest.answer, guest.answer_note, guest.answered_at = reply, kept, now
    facts = {"guest": str(guest.id), "answer": reply.value}
    service.record(session, _GUEST, "invitation_answered", guest.meeting, **facts)


def counts(session: Session, meeting: Meeting) -> Mapping[Reply, int]:
    """Return how many of the invited gave each answer, in the order of `WORDS`."""
    query = (
        select(Guest.answer, func.count())
        .where(Guest.meeting_id == meeting.id, Guest.removed_at.is_(None), Guest.invited_at.is_not(None))
        .group_by(Guest.answer)
    )
    found = {Reply(reply): count for reply, count in session.execute(query)}
    return {reply: found[reply] for reply in WORDS if reply in found}
