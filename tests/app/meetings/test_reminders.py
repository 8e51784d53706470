"""Reminders: once for each guest and beginning, not to those who said no, and never ahead of the invitation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app.core import db
from app.core.settings import Settings
from app.meetings import answers, reminders
from app.meetings.models import Guest, Meeting, Remind, Reply
from app.notices.models import Notice, NoticeState
from tests.factories import meetings as made

BOTH = Remind.DAY | Remind.HOURS
HOUR = timedelta(hours=1)


def called(city: Settings, wanted: Remind = BOTH, *, delivered: bool = True) -> tuple[UUID, datetime, UUID]:
    """Call a meeting in three days, invite Lan; return meeting, beginning and guest."""
    meeting_id = made.call(replace(made.plan(after=timedelta(days=3)), reminders=wanted))
    guest_id = made.add(meeting_id)
    made.send(meeting_id)
    made.run_jobs(city)
    if delivered:
        deliver()
    return meeting_id, made.meeting(meeting_id).starts_at, guest_id


def deliver() -> None:
    with db.transaction() as session:
        session.execute(update(Notice).values(state=NoticeState.SENT))


def run(city: Settings, now: datetime) -> int:
    with db.transaction() as session:
        count = reminders.remind(session, city, now=now)
    deliver()
    return count


def titles(guest_id: UUID) -> list[str]:
    return [str(one["Subject"]) for one in made.letters_to(guest_id) if "Nhắc lịch" in str(one["Subject"])]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(Remind.NONE, [0, 0, 0]), (Remind.DAY, [1, 0, 0]), (Remind.HOURS, [0, 1, 0]), (BOTH, [1, 1, 0])],
)
def test_guests_are_reminded_once_at_each_time(city: Settings, wanted: Remind, expected: list[int]) -> None:
    _, starts, guest_id = called(city, wanted)
    assert run(city, starts - timedelta(days=1, seconds=1)) == 0
    counts = []
    for before in (timedelta(days=1), timedelta(hours=2), timedelta(0)):
        counts.append(run(city, starts - before))
        assert run(city, starts - before) == 0
    assert counts == expected
    assert len(titles(guest_id)) == sum(expected)


def test_a_reminder_leads_to_the_page_and_holds_no_code(city: Settings) -> None:
    _, starts, guest_id = called(city)
    run(city, starts - HOUR)
    invitation, reminder = made.letters_to(guest_id)
    assert made.page_of(invitation) == made.page_of(reminder)
    assert [part.get_content_type() for part in reminder.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_worker_that_was_away_sends_the_later_one_alone(city: Settings) -> None:
    _, starts, guest_id = called(city)
    assert run(city, starts - HOUR) == 1
    assert len(titles(guest_id)) == 1


def test_who_said_no_is_off_the_list_or_was_just_invited_is_not_reminded(city: Settings) -> None:
    meeting_id, starts, guest_id = called(city)
    with db.transaction() as session:
        guest = session.get_one(Guest, guest_id)
        answers.answer(session, guest, Reply.NO, "", now=starts - timedelta(days=2))
    assert run(city, starts - HOUR) == 0
    with db.transaction() as session:
        session.execute(update(Guest).values(answer=Reply.YES, invited_at=starts - HOUR))
    assert run(city, starts - HOUR) == 0
    with db.transaction() as session:
        session.execute(update(Guest).values(invited_at=starts - timedelta(days=2)))
    made.remove(meeting_id, guest_id)
    assert run(city, starts - HOUR) == 0


def test_an_invitation_that_was_not_delivered_is_not_overtaken(city: Settings) -> None:
    _, starts, guest_id = called(city, delivered=False)
    assert run(city, starts - HOUR) == 0
    assert titles(guest_id) == []


def test_another_time_is_reminded_of_anew_and_a_cancelled_meeting_never(city: Settings) -> None:
    meeting_id, starts, guest_id = called(city)
    assert run(city, starts - HOUR) == 1
    moved = starts + timedelta(days=1)
    with db.transaction() as session:
        session.execute(update(Meeting).values(starts_at=moved, ends_at=moved + HOUR))
    assert run(city, moved - HOUR) == 1
    made.cancel(meeting_id)
    made.run_jobs(city)
    deliver()
    assert run(city, moved - HOUR / 2) == 0
    assert len(titles(guest_id)) == 2
