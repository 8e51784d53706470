"""Reminders: a day and two hours before a meeting, as the organiser wants; one letter for each guest and time.

The row that says "reminded" and the letter in the outbox are one transaction, so a killed process reminds nobody twice
and forgets nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.meetings import letters, passes, sealing
from app.meetings.models import Guest, Meeting, MeetingState, Pass, PassState, Remind, Reminder, Reply
from app.notices import service as notices
from app.notices.models import Notice, NoticeState

# From when until when before the beginning each is sent; a worker that was away sends the later one alone.
WINDOWS: Final = {
    Remind.DAY: (timedelta(days=1), timedelta(hours=2)),
    Remind.HOURS: (timedelta(hours=2), timedelta(0)),
}
AT_ONCE: Final = 200


def remind(session: Session, settings: Settings, *, now: datetime) -> int:
    """Queue the reminders that are due, some at a time, and return how many: 0 when nobody is left."""
    due = _due(session, now=now)
    for guest, kind in due:
        newest = passes.newest_of(session, guest.id)
        if newest is None:
            continue
        # Held by `_due`, so nobody else has written it in between.
        wanted = {"guest_id": guest.id, "kind": kind.value, "starts_at": guest.meeting.starts_at, "sent_at": now}
        session.execute(insert(Reminder).values(**wanted).on_conflict_do_nothing())
        shown = sealing.open_sealed(settings, newest.id, newest.sealed)
        notices.queue_notice(
            session,
            letters.reminder(settings, guest, shown, now=now),
            kind="reminder",
            subject_kind="guest",
            subject_id=guest.id,
            agency_id=guest.meeting.agency_id,
        )
    return len(due)


def _due(session: Session, *, now: datetime) -> Sequence[tuple[Guest, Remind]]:
    found: list[tuple[Guest, Remind]] = []
    for kind in WINDOWS:
        query = (
            select(Guest)
            .join(Meeting, Meeting.id == Guest.meeting_id)
            .where(_wants(kind, now), _counts_on_it())
            .order_by(Meeting.starts_at, Guest.id)
            .limit(AT_ONCE)
            .with_for_update(of=Guest, skip_locked=True)
        )
        found += [(guest, kind) for guest in session.scalars(query).unique()]
    return found


def _wants(kind: Remind, now: datetime) -> ColumnElement[bool]:
    """The meeting reminds at this time, and has not reminded this guest of this beginning."""
    first, last = WINDOWS[kind]
    reminded = exists().where(
        Reminder.guest_id == Guest.id, Reminder.kind == kind.value, Reminder.starts_at == Meeting.starts_at
    )
    return and_(
        Meeting.state == MeetingState.SENT,
        Meeting.reminders.bitwise_and(kind.value) != 0,
        Meeting.starts_at > now + last,
        Meeting.starts_at <= now + first,
        # Whoever was invited after that has just heard of it.
        Guest.invited_at <= Meeting.starts_at - first,
        ~reminded,
    )


def _counts_on_it() -> ColumnElement[bool]:
    """The guest is on the list, holds a valid pass, got the letter, and did not say no."""
    about = Notice.subject_id == Guest.id
    return and_(
        Guest.removed_at.is_(None),
        # Who comes along without an address of their own is reminded through the guest.
        Guest.email != "",
        Guest.answer != Reply.NO,
        exists().where(Pass.guest_id == Guest.id, Pass.state == PassState.VALID),
        exists().where(about, Notice.state == NoticeState.SENT),
        # A letter that still waits must not be overtaken: a later one takes its place in the outbox.
        ~exists().where(about, or_(Notice.state == NoticeState.QUEUED, Notice.state == NoticeState.FAILED)),
    )
