"""Stored answers: made, found, taken over, and never used when they may be out of date."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from sqlalchemy import event, text

from app.certificates import revocations
from app.certificates.models import Certificate, CertificateState
from app.core import db
from app.core.settings import Settings
from app.status.answer_file import (
    GOOD,
    REVOKED,
    AnswerFile,
    AnswerFileError,
    AnswerFileWriter,
    Slot,
    path_of,
)
from app.status.answers import Kept
from app.status.feed import Feed
from app.status.keeper import Keeper
from app.status.material import answers_folder
from app.status.server import StatusServer, connector
from app.status.views import build
from pki.ocsp import HashName, issuer_id
from pki.revocation import RevocationReason
from tests.app.status.conftest import HOUSE, Clock, Running, eventually
from tests.app.status.test_ocsp import ask, post, request_for
from tests.interop.judges import lint, run

# Issuing, lists and answers are the same wherever the keys live.
KEYS_IN_BOTH = True

SLUG = "issuing_services"


@pytest.fixture
def keep(settings: Settings, city: Certificate, clock: Clock) -> Callable[[], None]:
    """Return a function that makes the files of stored answers as the process of its own does."""
    answers_folder(settings).mkdir(parents=True, exist_ok=True)

    def make() -> None:
        Keeper(settings, clock).make_all("test", Event())

    return make


@pytest.fixture
def stocked(keep: Callable[[], None], running: Running) -> Running:
    """A server that has opened its files."""
    keep()
    eventually(lambda: running.server.feed.book(running.certificate.authority_id) is not None)
    return running


@contextmanager
def statements(running: Running) -> Iterator[list[str]]:
    """Give the statements that the hot path and the rest of the process send to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engines = [running.server._register.engine, db._sessions.kw["bind"]]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        # The guard of the clock looks by itself; it is not part of an answer.
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def of_certificates(sent: list[str]) -> list[str]:
    return [
        statement for statement in sent if "timestamp_clock" not in statement and "clock_timestamp" not in statement
    ]


def asking(serial_number: int, issuer: x509.Certificate, digest: hashes.HashAlgorithm, nonce: bytes | None) -> bytes:
    named = issuer_id(issuer.public_bytes(Encoding.DER), HashName(digest.name))
    made = ocsp.OCSPRequestBuilder().add_certificate_by_hash(named.name_hash, named.key_hash, serial_number, digest)
    return (made.add_extension(x509.OCSPNonce(nonce), False) if nonce else made).build().public_bytes(Encoding.DER)


def issuer_of(running: Running) -> x509.Certificate:
    return x509.load_pem_x509_certificate((running.folder / f"{SLUG}.pem").read_bytes())


def revoke(running: Running, reason: RevocationReason = RevocationReason.SUPERSEDED) -> None:
    with db.transaction() as session:
        revocations.revoke(session, HOUSE, running.certificate.id, reason=reason, now=datetime.now(UTC))


def status_of(running: Running) -> ocsp.OCSPCertStatus:
    return post(running, request_for(running)).certificate_status


def test_a_stored_answer_needs_no_query(stocked: Running) -> None:
    with statements(stocked) as sent:
        first, second = post(stocked, request_for(stocked)), post(stocked, request_for(stocked))
    assert of_certificates(sent) == []
    assert first.certificate_status is ocsp.OCSPCertStatus.GOOD
    # The same bytes: it was signed once.
    assert first.signature == second.signature


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256()])
def test_an_answer_with_a_nonce_needs_no_query_either(stocked: Running, digest: hashes.HashAlgorithm) -> None:
    body = asking(stocked.certificate.serial_number, issuer_of(stocked), digest, b"n" * 32)
    with statements(stocked) as sent:
        response = post(stocked, body)
    assert of_certificates(sent) == []
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


def test_the_form_by_sha256_is_signed_once_and_kept(stocked: Running) -> None:
    body = asking(stocked.certificate.serial_number, issuer_of(stocked), hashes.SHA256(), None)
    assert post(stocked, body).signature == post(stocked, body).signature


def test_a_certificate_that_is_not_in_the_file_needs_one_query(running: Running) -> None:
    for serial_number in (running.certificate.serial_number, 0x01DEADBEEF):
        with statements(running) as sent:
            post(running, asking(serial_number, issuer_of(running), hashes.SHA1(), None))
        assert len(of_certificates(sent)) == 1


def test_what_changed_needs_one_query_and_then_none(stocked: Running) -> None:
    revoke(stocked)
    eventually(lambda: status_of(stocked) is ocsp.OCSPCertStatus.REVOKED)
    with statements(stocked) as sent:
        assert status_of(stocked) is ocsp.OCSPCertStatus.REVOKED
    assert of_certificates(sent) == []


def test_openssl_accepts_stored_answers_for_good_held_and_revoked(stocked: Running, keep: Callable[[], None]) -> None:
    for reason, word in ((None, "good"), (RevocationReason.CERTIFICATE_HOLD, "certificateHold")):
        if reason is not None:
            revoke(stocked, reason)
        inode = inode_of(stocked)
        keep()
        eventually(lambda: inode_of(stocked) != inode)  # noqa: B023  called before the next round
        with statements(stocked) as sent:
            said = ask(stocked, "-no_nonce")
        assert of_certificates(sent) == []
        assert "Response verify OK" in said
        assert word in said


@pytest.mark.parametrize("nonce", [None, b"n" * 32])
@pytest.mark.parametrize("reason", [None, RevocationReason.CERTIFICATE_HOLD, RevocationReason.KEY_COMPROMISE])
def test_pkilint_and_gnutls_accept_what_the_file_gives(
    stocked: Running, keep: Callable[[], None], reason: RevocationReason | None, nonce: bytes | None
) -> None:
    if reason is not None:
        revoke(stocked, reason)
        inode = inode_of(stocked)
        keep()
        eventually(lambda: inode_of(stocked) != inode)
    with statements(stocked) as sent:
        response = post(stocked, asking(stocked.certificate.serial_number, issuer_of(stocked), hashes.SHA1(), nonce))
    assert of_certificates(sent) == []
    judged(stocked, response)


def test_pkilint_and_gnutls_accept_the_answer_for_a_number_never_issued(stocked: Running) -> None:
    response = post(stocked, asking(0x01DEADBEEF, issuer_of(stocked), hashes.SHA1(), None))
    assert response.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    judged(stocked, response)


def judged(running: Running, response: ocsp.OCSPResponse) -> None:
    path = running.folder / "r.der"
    path.write_bytes(response.public_bytes(Encoding.DER))
    assert lint("lint_ocsp_response", path).returncode == 0
    signer = running.folder / "signer.pem"
    signer.write_bytes(response.certificates[0].public_bytes(Encoding.PEM))
    said = run("ocsptool", "--verify-response", "--load-signer", signer, "--load-response", path).stdout
    assert "Verifying OCSP Response: Success" in said


def inode_of(running: Running) -> int:
    book = running.server.feed.book(running.certificate.authority_id)
    return book.file.inode if book is not None else 0


def test_a_suspension_and_its_release_are_seen_over_a_stored_answer(stocked: Running) -> None:
    revoke(stocked, RevocationReason.CERTIFICATE_HOLD)
    eventually(lambda: status_of(stocked) is ocsp.OCSPCertStatus.REVOKED)
    with db.transaction() as session:
        session.execute(text("DELETE FROM revocation WHERE certificate_id = :id"), {"id": stocked.certificate.id})
        session.execute(text("UPDATE certificate SET state = 'issued' WHERE id = :id"), {"id": stocked.certificate.id})
    eventually(lambda: status_of(stocked) is ocsp.OCSPCertStatus.GOOD)


def test_a_revocation_before_the_file_was_opened_is_not_missed(
    keep: Callable[[], None], settings: Settings, city: Certificate, running: Running
) -> None:
    running.server.feed.stop()
    keep()
    revoke(running)
    later = StatusServer(settings, build(settings))
    later.load()
    try:
        eventually(lambda: later.feed.book(city.authority_id) is not None)
        book = later.feed.book(city.authority_id)
        assert book is not None
        assert book.look_up(city.serial) is None
        assert book.file.look_up(city.serial) is not None
    finally:
        later.close()


def test_a_revocation_under_way_while_the_file_was_made_is_not_missed(
    keep: Callable[[], None], database_url: str, running: Running
) -> None:
    """It commits after the file was read, but its number is older than the file: the snapshot's rule covers it."""
    with psycopg.connect(url_of(database_url)) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        keep()
        slow.execute(
            "INSERT INTO revocation (certificate_id, authority_id, serial, shard, not_after, reason, revoked_at,"
            " entry_der) SELECT id, authority_id, serial, shard, not_after, 1, now(), '' FROM certificate"
            " WHERE id = %s",
            (running.certificate.id,),
        )
        slow.commit()
    running.server.feed.stop()
    feed = Feed(connector(database_url), answers_folder_of(running))
    feed.start()
    try:
        eventually(lambda: feed.book(running.certificate.authority_id) is not None)
        book = feed.book(running.certificate.authority_id)
        assert book is not None
        assert book.look_up(running.certificate.serial) is None
    finally:
        feed.stop()


def answers_folder_of(running: Running) -> Path:
    return running.server.feed._folder


def url_of(database_url: str) -> str:
    return database_url.replace("postgresql+psycopg", "postgresql")


def test_a_worker_that_lost_its_listener_asks_for_every_status(
    keep: Callable[[], None], settings: Settings, database_url: str, city: Certificate
) -> None:
    keep()
    allowed = Event()
    allowed.set()

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        if not allowed.is_set():
            raise psycopg.OperationalError("no way to the database")
        return connector(database_url)()

    feed = Feed(connect, answers_folder(settings))
    feed.start()
    try:
        eventually(lambda: feed.in_step)
        allowed.clear()
        with psycopg.connect(url_of(database_url), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kyvao status feed'"
            )
        eventually(lambda: not feed.in_step)
        # The file lies there as before, and says that the certificate is good.
        assert feed.book(city.authority_id) is None
        with db.transaction() as session:
            revocations.revoke(session, HOUSE, city.id, reason=RevocationReason.SUPERSEDED, now=datetime.now(UTC))
        allowed.set()
        eventually(lambda: feed.in_step)
        book = feed.book(city.authority_id)
        assert book is not None
        assert book.look_up(city.serial) is None
    finally:
        feed.stop()


def test_stored_answers_go_on_only_while_in_step_when_the_database_is_away(
    stocked: Running, closed_database: Callable[[], None]
) -> None:
    assert status_of(stocked) is ocsp.OCSPCertStatus.GOOD
    closed_database()
    eventually(lambda: not stocked.server.feed.in_step)
    assert post(stocked, request_for(stocked)).response_status is ocsp.OCSPResponseStatus.TRY_LATER


def test_an_answer_late_in_its_life_is_signed_again(stocked: Running, clock: Clock) -> None:
    first = post(stocked, request_for(stocked))
    clock.moved = first.this_update_utc + timedelta(minutes=44)
    assert post(stocked, request_for(stocked)).signature == first.signature
    clock.moved = first.this_update_utc + timedelta(minutes=45, seconds=1)
    assert post(stocked, request_for(stocked)).this_update_utc == clock.moved.replace(microsecond=0)


def test_the_keeper_takes_young_answers_over_and_signs_old_ones_again(
    keep: Callable[[], None], settings: Settings, city: Certificate, clock: Clock
) -> None:
    def stored() -> Slot | None:
        keep()
        return AnswerFile(path_of(answers_folder(settings), SLUG)).look_up(city.serial)

    now = datetime.now(UTC)
    first = stored()
    clock.moved = now + timedelta(minutes=15)
    assert stored() == first
    clock.moved = now + timedelta(minutes=30)
    again = stored()
    assert again is not None
    assert again.this_update == int(clock.moved.timestamp())


def test_the_keeper_makes_a_round_for_age_for_new_certificates_and_for_many_changes(
    settings: Settings, city: Certificate, clock: Clock
) -> None:
    answers_folder(settings).mkdir(parents=True)
    keeper = Keeper(settings, clock)
    assert keeper.due() == "start"
    clock.moved = datetime.now(UTC)
    keeper.make_all("start", Event())
    assert keeper.due() is None
    clock.moved += timedelta(minutes=2)
    assert keeper.due() is None
    with db.transaction() as session:
        session.execute(
            text("INSERT INTO status_change (authority_id, serial) SELECT :id, '\\x01' FROM generate_series(1, 5000)"),
            {"id": city.authority_id},
        )
    assert keeper.due() == "changes"
    clock.moved += timedelta(minutes=13)
    assert keeper.due() == "age"


def test_changes_older_than_any_file_are_forgotten(keep: Callable[[], None], city: Certificate, clock: Clock) -> None:
    with db.transaction() as session:
        session.execute(
            text("INSERT INTO status_change (authority_id, serial) VALUES (:id, '\\x02')"), {"id": city.authority_id}
        )
    keep()
    assert changes() == 1
    clock.moved = datetime.now(UTC) + timedelta(days=9)
    keep()
    assert changes() == 0


def changes() -> int:
    with db.transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM status_change")).scalar_one())


def test_the_keeper_stops_when_told_to_and_leaves_no_half_file(settings: Settings, city: Certificate) -> None:
    answers_folder(settings).mkdir(parents=True)
    (answers_folder(settings) / ".left.answers.1").write_bytes(b"half")
    stopping = Event()
    stopping.set()
    Keeper(settings).run(stopping)
    assert os.listdir(answers_folder(settings)) == []


def test_the_file_of_an_authority_that_is_gone_is_removed(keep: Callable[[], None], settings: Settings) -> None:
    strange = path_of(answers_folder(settings), "gone")
    strange.write_bytes(b"x")
    keep()
    assert not strange.exists()


def make_file(path: Path, slots: dict[bytes, Slot], *, snapshot: int = 1, authority: UUID | None = None) -> AnswerFile:
    with AnswerFileWriter(
        path, authority_id=authority or uuid4(), responder_sha256=bytes(32), lifetime=3600, expected=len(slots)
    ) as writer:
        assert all(writer.add(serial, slot) for serial, slot in slots.items())
        writer.finish(snapshot=snapshot, built_at=1)
    return AnswerFile(path)


def test_every_serial_number_of_one_to_twenty_octets_is_found_again(tmp_path: Path) -> None:
    # All of eight octets and more end alike: every one of them wants the same slot.
    serials = [bytes([size]) * max(size - 8, 0) + b"\x07" * min(size, 8) for size in range(1, 21)]
    slots = {serial: Slot(GOOD, 0, 0, len(serial), b"s" * len(serial)) for serial in serials}
    slots[b"\x01" * 20] = Slot(REVOKED, 6, 4_000_000_000, 1, b"t" * 96)
    file = make_file(tmp_path / "x.answers", slots)
    assert {serial: file.look_up(serial) for serial in slots} == slots
    assert file.look_up(b"\x02") is None
    assert file.look_up(b"") is None
    assert file.look_up(b"\x01" * 21) is None


def test_what_does_not_fit_into_a_slot_is_not_stored(tmp_path: Path) -> None:
    slot = Slot(GOOD, 0, 0, 1, b"s")
    with AnswerFileWriter(
        tmp_path / "x", authority_id=uuid4(), responder_sha256=bytes(32), lifetime=1, expected=1
    ) as writer:
        assert not writer.add(b"\x01" * 21, slot)
        assert not writer.add(b"\x01", replace_signature(slot, b"s" * 97))
        assert writer.add(b"\x01", slot)
        assert not writer.add(b"\x02", slot)
    assert os.listdir(tmp_path) == []


def replace_signature(slot: Slot, signature: bytes) -> Slot:
    return slot._replace(signature=signature)


@pytest.mark.parametrize(
    "spoil",
    [lambda _: b"", lambda data: b"X" + data[1:], lambda data: data[:-1], lambda data: data + b"x"],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "x.answers"
    make_file(path, {b"\x01": Slot(GOOD, 0, 0, 1, b"s")})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises((AnswerFileError, ValueError)):
        AnswerFile(path)


def test_a_file_of_a_database_that_was_put_back_is_not_used(
    settings: Settings, database_url: str, city: Certificate
) -> None:
    folder = answers_folder(settings)
    folder.mkdir(parents=True)
    path = path_of(folder, SLUG)
    make_file(path, {city.serial: Slot(GOOD, 0, 0, 1, b"s")}, snapshot=2**60, authority=city.authority_id)
    feed = Feed(connector(database_url), folder)
    feed.start()
    try:
        eventually(lambda: feed.in_step)
        assert feed.book(city.authority_id) is None
    finally:
        feed.stop()


def test_a_file_by_another_responder_is_answered_with_our_own_signature(
    stocked: Running, settings: Settings, keep: Callable[[], None]
) -> None:
    path = path_of(answers_folder(settings), SLUG)
    file = AnswerFile(path)
    slot = file.look_up(stocked.certificate.serial)
    assert slot is not None
    inode = inode_of(stocked)
    make_file(path, {stocked.certificate.serial: slot}, snapshot=1, authority=stocked.certificate.authority_id)
    eventually(lambda: inode_of(stocked) not in {inode, 0})
    assert "Response verify OK" in ask(stocked, "-no_nonce")


def test_a_certificate_whose_intent_is_not_signed_has_no_stored_answer(
    keep: Callable[[], None], settings: Settings, city: Certificate, change: Callable[..., None]
) -> None:
    change(city, state=CertificateState.PREPARED)
    keep()
    assert AnswerFile(path_of(answers_folder(settings), SLUG)).look_up(city.serial) is None


def test_a_small_memory_forgets_everything_when_it_is_full() -> None:
    kept: Kept[int, int] = Kept(2)
    for number in range(3):
        kept.put(number, number)
    assert [kept.get(number) for number in range(3)] == [None, None, 2]
