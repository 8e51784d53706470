"""Meetings of the demonstration city, their guests, and the jobs and letters that follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from sqlalchemy import select

import app.worker
from app.core import db
from app.core.queue import jobs
from app.core.settings import Settings
from app.meetings import guests, passes, service
from app.meetings.guests import NewGuest
from app.meetings.models import Guest, Meeting, Pass, Room
from app.meetings.service import Plan
from app.notices.models import Notice
from app.registry.models import Agency
from tests.factories.certificates import actor

LAN = NewGuest("Nguyễn Thị Lan", "lan@example.vn", "Công ty A")


def now() -> datetime:
    return datetime.now(UTC)


def plan(*, title: str = "Họp giao ban", room: str = "Phòng 201", after: timedelta = timedelta(days=2)) -> Plan:
    """Return a plan for two hours, that long from now."""
    starts_at = (now() + after).replace(second=0, microsecond=0)
    with db.transaction() as session:
        room_id = session.scalars(select(Room.id).where(Room.name == room)).one()
    return Plan(title, room_id, starts_at, starts_at + timedelta(hours=2), "Ông Trần Văn Minh")


def call(planned: Plan | None = None, *, by: str = "minh", agency: str = "H99.02") -> UUID:
    """Plan a meeting and return it."""
    planned = planned or plan()
    with db.transaction() as session:
        agency_id = session.scalars(select(Agency.id).where(Agency.code == agency)).one()
        return service.create(session, actor(by), agency_id, planned, now=now()).id


def add(meeting_id: UUID, guest: NewGuest = LAN, *, by: str = "minh") -> UUID:
    with db.transaction() as session:
        return guests.add(session, actor(by), meeting_id, guest).id


def send(meeting_id: UUID, *, by: str = "minh") -> int:
    with db.transaction() as session:
        return service.send(session, actor(by), meeting_id, now=now())


def change(meeting_id: UUID, planned: Plan, *, by: str = "minh") -> None:
    with db.transaction() as session:
        service.change(session, actor(by), meeting_id, planned, now=now())


def cancel(meeting_id: UUID, *, by: str = "minh") -> int:
    with db.transaction() as session:
        return service.cancel(session, actor(by), meeting_id)


def remove(meeting_id: UUID, guest_id: UUID, *, by: str = "minh") -> None:
    with db.transaction() as session:
        guests.remove(session, actor(by), meeting_id, guest_id, now=now())


def run_jobs(settings: Settings) -> None:
    """Let a real worker do what is queued now, then stop it."""
    app.worker.register_tasks()
    with jobs.replace_connector(app.worker.connector(settings)) as application:
        application.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)


def invited(settings: Settings, guest: NewGuest = LAN) -> tuple[UUID, UUID]:
    """Call a meeting with one guest whose invitation lies in the outbox; return meeting and guest."""
    meeting_id = call()
    guest_id = add(meeting_id, guest)
    send(meeting_id)
    run_jobs(settings)
    return meeting_id, guest_id


def meeting(meeting_id: UUID) -> Meeting:
    with db.transaction() as session:
        return session.get_one(Meeting, meeting_id)


def guest(guest_id: UUID) -> Guest:
    with db.transaction() as session:
        return session.get_one(Guest, guest_id)


def passes_of(guest_id: UUID) -> Sequence[Pass]:
    """Return the passes of a guest, oldest first."""
    with db.transaction() as session:
        return session.scalars(select(Pass).where(Pass.guest_id == guest_id).order_by(Pass.issued_at)).unique().all()


def notices_about(guest_id: UUID) -> Sequence[Notice]:
    with db.transaction() as session:
        return session.scalars(select(Notice).where(Notice.subject_id == guest_id).order_by(Notice.created_at)).all()


def letters_to(guest_id: UUID) -> list[EmailMessage]:
    """Return the letters about a guest, oldest first, read back from the bytes that go over the wire."""
    return [read_letter(notice.mime) for notice in notices_about(guest_id)]


def read_letter(mime: bytes) -> EmailMessage:
    letter = message_from_bytes(mime, policy=SMTP)
    assert isinstance(letter, EmailMessage)
    return letter


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def page_of(letter: EmailMessage) -> str:
    """Return the path of the guest's page that a letter names."""
    found = re.search(r"http://[^/\s]+(/p/\S+)", text_of(letter))
    assert found
    return found.group(1)


def ended() -> dict[int, int]:
    """Return what the gates are told of passes that ended before their time."""
    with db.transaction() as session:
        return {index: int(status) for index, status in passes.ended_statuses(session, now=now()).items()}
