"""How many invitations a second `worker` makes: pass, letter under the agency's seal, mail taken by a mail server.

    .venv/bin/python -m scripts.bench.invite [--quick]

The real `worker` with its jobs, a PostgreSQL that fsyncs, and a mail server on the loopback that reads every letter.
`invite.pass_rate` is the pass alone, claims to digits, on one core.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from typing import Any, Final
from uuid import UUID

from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from app.accounts.models import Account
from app.certificates import authorities, key_access, register
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.meetings import passes
from app.meetings.models import Building, Guest, Meeting, MeetingState, Pass, Room
from app.notices.models import Notice, NoticeState
from app.registry.models import Agency
from pki.passes import cose, digits
from pki.passes.claims import SECRET_LENGTH, PassClaims
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.serving import child

_PASSES: Final = 20_000
_LONGEST_S: Final = 1_200


class Postbox:
    """Reads each letter as a mail program would, and keeps who it was for."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.faulty = 0

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        letter = message_from_bytes(envelope.content, policy=SMTP)
        kinds = [part.get_content_type() for part in letter.walk()]
        whole = not letter.defects and {"application/pdf", "text/calendar", "image/png"} <= set(kinds)
        self.faulty += not whole
        self.arrived.extend(envelope.rcpt_tos)
        return "250 OK"


def main() -> None:
    count = 300 if is_quick() else 5_000
    port = _free_port()
    environ = {"KYVAO_SMTP_URL": f"smtp://127.0.0.1:{port}", "KYVAO_MAIL_RATE": "1000000"}
    with city(wards=1, environ=environ) as made, _mail_server(port) as box:
        with db.transaction() as session:
            agency = session.get_one(Agency, made.wards[0].id)
            authorities.certify_agency(session, made.settings, agency, actor=house("benchmark"), now=datetime.now(UTC))
        figure("invite.pass_rate", _passes_alone(made.settings, made.wards[0].id), "1/s")
        meeting_id = _meeting(made, count)
        say(f"{count} guests")
        with child(made.settings, "worker"):
            seconds = _wait(meeting_id, count)
        _judge(box, meeting_id, count)
    figure("invite.rate", count / seconds, "1/s")


def _passes_alone(settings: Settings, agency_id: UUID) -> float:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with db.transaction() as session:
        signer = register.pass_signer_of(session, agency_id, now=datetime.now(UTC))
    if signer is None:
        raise SystemExit("the agency has no key for passes")
    key = key_access.load(settings, signer.certificate.key_reference)
    began = time.process_time()
    for index in range(_PASSES):
        claims = PassClaims(now, timedelta(hours=4), secrets.token_bytes(SECRET_LENGTH), meeting=7, status_index=index)
        digits.encode(cose.sign(claims.encode(), kid=signer.kid, key=key))
    return _PASSES / (time.process_time() - began)


def _meeting(made: City, count: int) -> UUID:
    """Call a meeting and press “send”."""
    now = datetime.now(UTC)
    with db.transaction() as session:
        building = Building(code="TT", name="Trung tâm Hội nghị", address="1 Quảng trường Sông Biếc")
        account = Account(login="bench", label="Văn thư")
        session.add_all([building, account])
        session.flush()
        room = Room(building_id=building.id, name="Hội trường")
        session.add(room)
        session.flush()
        meeting = Meeting(
            title="Hội nghị chuyển đổi số của thành phố",
            search_title="hoi nghi chuyen doi so cua thanh pho",
            agency_id=made.wards[0].id,
            room_id=room.id,
            starts_at=now + timedelta(days=3),
            ends_at=now + timedelta(days=3, hours=4),
            host="Chủ tịch Ủy ban nhân dân",
            state=MeetingState.SENT,
            created_by=account.id,
        )
        session.add(meeting)
        session.flush()
        for number in range(count):
            guest = Guest(
                meeting_id=meeting.id,
                name=f"Nguyễn Thị Khách mời {number}",
                email=f"khach{number}@example.vn",
                organisation=f"Cơ quan {number % 97}",
                invited_at=now,
            )
            session.add(guest)
            session.flush()
            passes.queue_issue(session, guest)
        return meeting.id


def _wait(meeting_id: UUID, count: int) -> float:
    """Return the time from the first pass to the last letter that a server took; starting is not counted."""
    began, told = None, 0
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        made, sent = _counts(meeting_id)
        if began is None and made:
            began = time.monotonic()
            # What was made before the first look is not counted as free.
            early = made
        if made >= told + 500:
            told = made
            say(f"{made} made, {sent} taken")
        if began is not None and sent == count:
            return (time.monotonic() - began) * count / max(1, count - early)
        time.sleep(0.1)
    raise SystemExit(f"of {count} only {_counts(meeting_id)} were made and taken")


def _counts(meeting_id: UUID) -> tuple[int, int]:
    with db.transaction() as session:
        made = session.scalar(select(func.count(Pass.id)).join(Guest).where(Guest.meeting_id == meeting_id)) or 0
        sent = session.scalar(select(func.count(Notice.id)).where(Notice.state == NoticeState.SENT)) or 0
    return made, sent


def _judge(box: Postbox, meeting_id: UUID, count: int) -> None:
    with db.transaction() as session:
        sealed = session.scalar(select(func.count(Pass.id)).where(Pass.letter.is_not(None))) or 0
    made, _ = _counts(meeting_id)
    figure("invite.lost", count - len(set(box.arrived)), "letters")
    figure("invite.twice", len(box.arrived) - len(set(box.arrived)), "letters")
    if box.faulty or (made, sealed) != (count, count):
        raise SystemExit(f"{box.faulty} letters are not whole; {made} passes, {sealed} sealed")


@contextmanager
def _mail_server(port: int) -> Iterator[Postbox]:
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield box
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
