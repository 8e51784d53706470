"""Timestamps over HTTP, judged by openssl."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.certificates.models import Certificate, CertificateState
from app.core import db
from pki.profiles import ProfileName
from tests.app.status.conftest import Running, eventually

# Issuing, lists and answers are the same wherever the keys live.
KEYS_IN_BOTH = True


@pytest.fixture
def question(running: Running) -> bytes:
    (running.folder / "data").write_bytes(b"a paper of the city")
    running.run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq")
    return (running.folder / "q.tsq").read_bytes()


def stamp(running: Running, body: bytes) -> str:
    """Send `body` and return what openssl reads in the answer, which stands in r.tsr."""
    request = urllib.request.Request(f"{running.url}/tsa", data=body, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Type"] == "application/timestamp-reply"
        (running.folder / "r.tsr").write_bytes(answer.read())
    done = running.run("ts", "-reply", "-in", "r.tsr", "-text")
    return done.stdout + done.stderr


def verify(running: Running, *data: str) -> str:
    done = running.run("ts", "-verify", *data, "-in", "r.tsr", "-CAfile", "root.pem", "-untrusted", "tsa_authority.pem")
    return done.stdout + done.stderr


def test_openssl_accepts_a_token_for_its_data_and_no_other(running: Running, question: bytes) -> None:
    assert "Status: Granted" in stamp(running, question)
    assert "Verification: OK" in verify(running, "-queryfile", "q.tsq")
    assert "Verification: OK" in verify(running, "-data", "data")
    (running.folder / "other").write_bytes(b"another paper")
    assert "Verification: FAILED" in verify(running, "-data", "other")


def test_every_token_has_another_serial_number(running: Running, question: bytes) -> None:
    said = {
        line for _ in range(3) for line in stamp(running, question).splitlines() if line.startswith("Serial number")
    }
    assert len(said) == 3


def test_no_time_is_said_when_the_clock_was_set_back(running: Running, question: bytes) -> None:
    assert "Status: Granted" in stamp(running, question)
    running.clock.moved = datetime.now(UTC) - timedelta(minutes=1)
    assert "time source is not available" in stamp(running, question)
    running.clock.moved = None
    assert "Status: Granted" in stamp(running, question)


def test_no_token_is_made_under_a_revoked_certificate(
    running: Running, question: bytes, change: Callable[..., None]
) -> None:
    with db.transaction() as session:
        unit = session.scalars(select(Certificate).where(Certificate.profile == ProfileName.TSA_UNIT)).unique().one()
    change(unit, state=CertificateState.REVOKED)
    # The certificate is looked at twice a second.
    eventually(lambda: "Status: Rejected" in stamp(running, question))


def test_no_token_is_made_after_the_key_has_signed_its_year(running: Running, question: bytes) -> None:
    running.clock.moved = datetime.now(UTC) + timedelta(days=366)
    assert "Status: Rejected" in stamp(running, question)


@pytest.mark.parametrize("body", [b"", b"0\x00", b"x" * 10_000])
def test_what_is_not_a_request_is_rejected_in_the_words_of_the_protocol(running: Running, body: bytes) -> None:
    assert "Status: Rejected" in stamp(running, body)


def test_a_weak_hash_is_rejected(running: Running) -> None:
    (running.folder / "data").write_bytes(b"x")
    running.run("ts", "-query", "-data", "data", "-sha1", "-out", "q.tsq")
    assert "unrecognized or unsupported algorithm" in stamp(running, (running.folder / "q.tsq").read_bytes())


def test_a_timestamp_is_asked_for_by_post_alone(running: Running) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{running.url}/tsa")
    assert refused.value.code == 405
    assert refused.value.headers["Allow"] == "POST"
