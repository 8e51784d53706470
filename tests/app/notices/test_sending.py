"""Letters through a real mail server: once, again after a failure, and never a second time after success."""

from __future__ import annotations

import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from app.core import db
from app.core.settings import Settings
from app.notices import service, smtp, tasks
from app.notices.models import Notice, NoticeState
from tests.factories import meetings as made


class Postbox:
    """Keeps what arrives, after refusing as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.arrived: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.arrived.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def postbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    box = Postbox()
    with running(box) as server:
        monkeypatch.setenv("KYVAO_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        yield box


class running:  # noqa: N801  read as a phrase in a with statement
    """A mail server on a free port of the loopback while the block lasts."""

    def __init__(self, box: Postbox, **options: Any) -> None:
        self._server = Controller(box, hostname="127.0.0.1", port=_free_port(), **options)

    def __enter__(self) -> Controller:
        self._server.start()
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def outbox() -> list[Notice]:
    with db.transaction() as session:
        return list(service.newest(session))


def test_a_letter_arrives_byte_for_byte_and_says_so_in_the_outbox(city: Settings, postbox: Postbox) -> None:
    _, guest_id = made.invited(city)
    ((sender, recipients, content),) = postbox.arrived
    assert (sender, recipients) == ("kyvao@localhost", ["lan@example.vn"])
    (notice,) = made.notices_about(guest_id)
    assert content.rstrip(b"\r\n") == notice.mime.rstrip(b"\r\n")
    assert notice.state == NoticeState.SENT
    assert notice.sent_at is not None


def test_a_letter_that_a_server_has_taken_is_not_sent_again(city: Settings, postbox: Postbox) -> None:
    made.invited(city)
    (notice,) = outbox()
    tasks.send.func(str(notice.id))
    made.run_jobs(city)
    assert len(postbox.arrived) == 1


def test_a_refused_letter_is_marked_and_the_next_try_sends_the_same_one(city: Settings, postbox: Postbox) -> None:
    postbox.refusals = 1
    made.invited(city)
    (notice,) = outbox()
    assert (notice.state, notice.attempts, notice.last_error) == (NoticeState.FAILED, 1, "SMTPDataError")
    tasks.send.func(str(notice.id))
    (again,) = outbox()
    assert (again.state, again.attempts, again.last_error) == (NoticeState.SENT, 2, None)
    letter = made.read_letter(postbox.arrived[0][2])
    assert letter["Message-ID"] == made.read_letter(notice.mime)["Message-ID"]


def test_sending_the_invitations_again_sends_the_failed_ones_and_no_others(city: Settings, postbox: Postbox) -> None:
    postbox.refusals = 1
    meeting_id, guest_id = made.invited(city)
    made.add(meeting_id, made.NewGuest("Trần Bình", "binh@example.vn", ""))
    assert made.send(meeting_id) == 2
    made.run_jobs(city)
    assert made.send(meeting_id) == 0
    made.run_jobs(city)
    assert sorted(recipients[0] for _, recipients, _ in postbox.arrived) == ["binh@example.vn", "lan@example.vn"]
    assert made.notices_about(guest_id)[0].state == NoticeState.SENT


def test_a_letter_that_failed_is_not_sent_after_a_newer_one(city: Settings, postbox: Postbox) -> None:
    postbox.refusals = 1
    meeting_id, guest_id = made.invited(city)
    made.cancel(meeting_id)
    made.run_jobs(city)
    old, new = made.notices_about(guest_id)
    assert (old.state, new.state) == (NoticeState.REPLACED, NoticeState.SENT)
    tasks.send.func(str(old.id))
    assert len(postbox.arrived) == 1


def test_a_server_that_does_not_answer_is_a_failure_to_try_again(city: Settings, monkeypatch: Any) -> None:
    monkeypatch.setenv("KYVAO_SMTP_URL", f"smtp://127.0.0.1:{_free_port()}")
    made.invited(city)
    (notice,) = outbox()
    assert (notice.state, notice.last_error) == (NoticeState.FAILED, "ConnectionRefusedError")


def test_without_a_server_letters_stay_in_the_outbox(city: Settings) -> None:
    made.invited(city)
    (notice,) = outbox()
    assert (notice.state, notice.attempts) == (NoticeState.QUEUED, 0)


@pytest.fixture(scope="module")
def server_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """The TLS of a mail server called localhost, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
        " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, folder / "cert.pem"


def test_tls_is_used_where_it_is_offered_and_a_name_that_is_not_the_servers_is_refused(
    server_tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = server_tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    box = Postbox()
    letter = b"To: lan@example.vn\r\nSubject: x\r\n\r\nx\r\n"
    with running(box, tls_context=context, require_starttls=True) as server:
        smtp.deliver(f"smtp://localhost:{server.port}", "a@localhost", "lan@example.vn", letter)
        assert len(box.arrived) == 1
        with pytest.raises(ssl.SSLCertVerificationError):
            smtp.deliver(f"smtp://127.0.0.1:{server.port}", "a@localhost", "lan@example.vn", letter)
    assert len(box.arrived) == 1


def test_a_password_goes_only_over_tls(
    server_tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = server_tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    seen: list[bytes] = []

    def remember(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append(data.password)
        return AuthResult(success=True)

    letter = b"To: lan@example.vn\r\nSubject: x\r\n\r\nx\r\n"
    with (
        running(Postbox(), authenticator=remember, auth_require_tls=False) as plain,
        pytest.raises(smtplib.SMTPNotSupportedError),
    ):
        smtp.deliver(f"smtp://u:s%40x@localhost:{plain.port}", "a@localhost", "lan@example.vn", letter)
    assert seen == []
    with running(Postbox(), authenticator=remember, tls_context=context) as closed:
        smtp.deliver(f"smtp://u:s%40x@localhost:{closed.port}", "a@localhost", "lan@example.vn", letter)
    assert seen == [b"s@x"]
