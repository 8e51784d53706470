"""Signed, named, spaced out, sent back: what mail servers and receivers get to see, with a real one at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import dkim as judge
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.core import db
from app.core.settings import Settings, load
from app.notices import bounces, dkim, service, tasks
from app.notices.models import Notice, NoticeState
from tests.app.notices.test_sending import Postbox, outbox, running
from tests.factories import meetings as made
from tests.factories.forms import csrf_token


@pytest.fixture
def postbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    box = Postbox()
    with running(box) as server:
        monkeypatch.setenv("KYVAO_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        yield box


@pytest.fixture
def returns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Maildir for what comes back, and the address that leads to it."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("KYVAO_BOUNCE_FROM", "bounce@localhost")
    monkeypatch.setenv("KYVAO_BOUNCE_MAILDIR", str(tmp_path))
    return tmp_path


def report(to: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """Return the report of a mail server, as RFC 3464 has it."""
    return (
        f"From: MAILER-DAEMON@mx.example.vn\r\nTo: <{to}>\r\nSubject: Undelivered Mail\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe mailbox does not exist.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.vn\r\n\r\n"
        f"Final-Recipient: rfc822; lan@example.vn\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
    ).encode()


def read(letter: bytes) -> UUID | None:
    with db.transaction() as session:
        return bounces.take(session, load(os.environ), letter)


@pytest.mark.parametrize("shape", ["whole", "spaces", "empty"])
def test_another_program_finds_the_signature_of_the_house_good_and_a_changed_letter_bad(shape: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = dkim.Signer(key, "kyvao", "localhost")
    body = {"whole": b"Xin ch\xc3\xa0o\r\n", "spaces": b"a \t b  \r\n\r\n c\r\n\r\n\r\n", "empty": b""}[shape]
    message = b"From: So <kyvao@localhost>\r\nTo: lan@example.vn\r\nSubject: Gi\r\n  y   moi \r\nDate: x\r\n\r\n" + body
    signed = dkim.sign(message, signer, now=made.now())

    def is_good(letter: bytes) -> bool:
        return bool(judge.verify(letter, dnsfunc=lambda *_, **__: dkim.dns_record(signer).encode()))

    assert is_good(signed)
    assert not is_good(signed.replace(b"lan@example.vn", b"mai@example.vn"))
    assert not is_good(signed + b"more\r\n")
    assert not is_good(b"From: other@localhost\r\n" + signed)


def test_letters_leave_signed_and_under_a_sender_of_their_own(
    city: Settings, postbox: Postbox, returns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, file = rsa.generate_private_key(public_exponent=65537, key_size=2048), tmp_path / "dkim.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    monkeypatch.setenv("KYVAO_DKIM_KEY", str(file))
    made.invited(city)
    ((sender, _, content),) = postbox.arrived
    (notice,) = outbox()
    record = dkim.dns_record(dkim.Signer(key, "kyvao", "localhost")).encode()
    assert judge.verify(content, dnsfunc=lambda *_, **__: record)
    assert sender.startswith("bounce+")
    assert len(sender.partition("@")[0]) <= 64
    assert sender == bounces.sender_of(load(os.environ), notice.id)


def test_a_letter_that_came_back_is_listed_and_goes_out_again_to_the_corrected_address(
    city: Settings, postbox: Postbox, returns: Path, sign_in: Any
) -> None:
    meeting_id, guest_id = made.invited(city)
    sender = postbox.arrived[0][0]
    (returns / "new" / "1.host").write_bytes(report(sender))
    tasks.read_bounces.func(0)
    assert [one.name for one in (returns / "cur").iterdir()] == ["1.host:2,S"]
    (notice,) = made.notices_about(guest_id)
    assert (notice.state, notice.last_error) == (NoticeState.BOUNCED, "5.1.1")
    clerk = sign_in("minh")
    page = clerk.get(f"/meetings/{meeting_id}").get_data(as_text=True)
    assert "Bị trả lại" in page
    assert "1 thư bị trả lại" in page
    path = f"/meetings/{meeting_id}/guests/{guest_id}/edit"
    answer = clerk.post(
        path,
        data={
            "csrf_token": csrf_token(clerk, path),
            "name": "Nguyễn Thị Lan",
            "email": "lan.nguyen@example.vn",
            "organisation": "",
        },
    )
    assert answer.status_code == 302
    made.run_jobs(city)
    assert [recipients for _, recipients, _ in postbox.arrived] == [["lan@example.vn"], ["lan.nguyen@example.vn"]]
    assert [row.state for row in made.passes_of(guest_id)] == ["changed", "valid"]


def test_reports_that_say_nothing_is_lost_or_that_we_did_not_seal_change_nothing(
    city: Settings, postbox: Postbox, returns: Path
) -> None:
    _, guest_id = made.invited(city)
    sender = postbox.arrived[0][0]
    # One letter of what we sealed, wherever the same letter stands before it.
    forged = f"{sender[:30]}{'a' if sender[30] != 'a' else 'b'}{sender[31:]}"
    for letter in (
        report(sender, action="delayed", status="4.4.1"),
        report(forged),
        report("bounce@localhost"),
        b"From: lan@example.vn\r\nTo: <" + sender.encode() + b">\r\n\r\nI am on holiday.\r\n",
        b"\xff\x00 no letter at all",
        b"",
    ):
        assert read(letter) is None
    assert made.notices_about(guest_id)[0].state == NoticeState.SENT
    assert read(report(sender)) == made.notices_about(guest_id)[0].id
    assert read(report(sender)) is None


def test_an_address_that_a_server_refuses_for_good_is_not_tried_again(
    city: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoSuchUser(Postbox):
        async def handle_RCPT(self, *_: Any) -> str:  # noqa: N802  aiosmtpd's name
            return "550 5.1.1 no such user"

    with running(NoSuchUser()) as server:
        monkeypatch.setenv("KYVAO_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        made.invited(city)
    (notice,) = outbox()
    assert (notice.state, notice.last_error) == (NoticeState.BOUNCED, "SMTPRecipientsRefused")


def test_more_letters_than_a_minute_takes_are_put_off_and_arrive_once_each(
    city: Settings, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYVAO_MAIL_RATE", "1")
    meeting_id, _ = made.invited(city)
    made.add(meeting_id, made.NewGuest("Trần Bình", "binh@example.vn", ""))
    made.send(meeting_id)
    made.run_jobs(city)
    assert len(postbox.arrived) == 1
    late = next(one for one in outbox() if one.state == NoticeState.QUEUED)
    assert late.attempts == 0
    monkeypatch.setenv("KYVAO_MAIL_RATE", "600")
    tasks.send.func(str(late.id))
    tasks.send.func(str(late.id))
    assert sorted(recipients[0] for _, recipients, _ in postbox.arrived) == ["binh@example.vn", "lan@example.vn"]


def test_letters_written_before_there_was_a_server_go_out_when_there_is_one(
    city: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.invited(city)
    with db.transaction() as session:
        session.get_one(Notice, outbox()[0].id).created_at = made.now() - timedelta(hours=1)
    with running(Postbox()) as server:
        monkeypatch.setenv("KYVAO_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        tasks.sweep.func(0)
        with db.transaction() as session:
            assert service.queue_left(session, now=made.now()) == 1
        made.run_jobs(city)
    assert outbox()[0].state == NoticeState.SENT


def test_a_process_killed_after_the_server_took_a_letter_sends_it_at_most_once_more(
    city: Settings, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYVAO_MAIL_RATE", "600")
    server = os.environ.pop("KYVAO_SMTP_URL")
    made.invited(city)
    monkeypatch.setenv("KYVAO_SMTP_URL", server)
    (notice,) = outbox()
    code = (
        "import os\nfrom app.core import db\nimport app.models\nfrom app.notices import tasks\n"
        f"db.configure(os.environ['KYVAO_DATABASE_URL'])\ntasks.send.func({str(notice.id)!r})\n"
    )
    environment = os.environ | {"KYVAO_FAILPOINT": "notice.taken:kill"}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert outbox()[0].state == NoticeState.QUEUED
    tasks.send.func(str(notice.id))
    tasks.send.func(str(notice.id))
    assert len(postbox.arrived) == 2
    letters = [made.read_letter(content)["Message-ID"] for _, _, content in postbox.arrived]
    assert letters[0] == letters[1]


def test_the_meetings_page_says_how_many_invitations_are_made_while_they_are(city: Settings, sign_in: Any) -> None:
    meeting_id = made.call()
    made.add(meeting_id)
    made.send(meeting_id)
    clerk = sign_in("minh")
    assert "Đã làm 0 trên 1 giấy mời" in clerk.get(f"/meetings/{meeting_id}").get_data(as_text=True)
    part = clerk.get(f"/meetings/{meeting_id}/progress").get_data(as_text=True)
    assert 'data-live-state="making"' in part
    made.run_jobs(city)
    assert 'data-live-state="made"' in clerk.get(f"/meetings/{meeting_id}/progress").get_data(as_text=True)
    assert "Đã làm" not in clerk.get(f"/meetings/{meeting_id}").get_data(as_text=True)
    assert sign_in("lan").get(f"/meetings/{meeting_id}/progress").status_code in (403, 404)
