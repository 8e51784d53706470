"""Invitations before programs of others: the calendar part in a second parser, at each stage of its life."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import vobject

from app.core.settings import Settings
from tests.app.certificates.conftest import city
from tests.factories import meetings as made

__all__ = ["city"]


def calendar_in(letter: EmailMessage) -> Any:
    part = next(one for one in letter.walk() if one.get_content_type() == "text/calendar")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return vobject.readOne(content.decode())


def test_a_second_parser_reads_creating_changing_and_cancelling_as_one_event(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    first = made.meeting(meeting_id).starts_at
    made.change(meeting_id, made.plan(after=timedelta(days=4)))
    made.run_jobs(city)
    second = made.meeting(meeting_id).starts_at
    made.cancel(meeting_id)
    made.run_jobs(city)
    read = [calendar_in(letter) for letter in made.letters_to(guest_id)]
    assert [one.method.value for one in read] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [int(one.vevent.sequence.value) for one in read] == sorted(int(one.vevent.sequence.value) for one in read)
    assert len({one.vevent.sequence.value for one in read}) == 3
    assert len({one.vevent.uid.value for one in read}) == 1
    assert [one.vevent.dtstart.value for one in read] == [first, second, second]
    assert read[0].vevent.dtstart.value.utcoffset() == timedelta(hours=7)
    assert [one.vevent.status.value for one in read] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert all(letter.defects == [] for letter in made.letters_to(guest_id))
