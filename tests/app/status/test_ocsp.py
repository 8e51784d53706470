"""OCSP over HTTP, judged by openssl."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from app.certificates import revocations
from app.certificates.models import CertificateState
from app.core import db
from pki.revocation import RevocationReason
from tests.app.status.conftest import HOUSE, Running

# Issuing, lists and answers are the same wherever the keys live.
KEYS_IN_BOTH = True

ISSUER = "issuing_services.pem"


def ask(running: Running, *words: str, serial: str | None = None, digest: str = "-sha1") -> str:
    which = ["-serial", serial] if serial else ["-cert", "ee.pem"]
    done = running.run(
        "ocsp", digest, "-issuer", ISSUER, *which, "-url", f"{running.url}/ocsp", "-CAfile", "root.pem",
        "-verify_other", ISSUER, *words,
    )  # fmt: skip
    return done.stdout + done.stderr


def request_for(running: Running) -> bytes:
    certificate = x509.load_pem_x509_certificate((running.folder / "ee.pem").read_bytes())
    issuer = x509.load_pem_x509_certificate((running.folder / ISSUER).read_bytes())
    made = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()
    return made.public_bytes(Encoding.DER)


def post(running: Running, body: bytes) -> ocsp.OCSPResponse:
    request = urllib.request.Request(f"{running.url}/ocsp", data=body, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/ocsp-response"
        return ocsp.load_der_ocsp_response(answer.read())


@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
@pytest.mark.parametrize("words", [(), ("-no_nonce",)])
def test_openssl_finds_an_issued_certificate_good(running: Running, digest: str, words: tuple[str, ...]) -> None:
    said = ask(running, *words, digest=digest)
    assert "Response verify OK" in said
    assert "ee.pem: good" in said


def test_openssl_sees_a_revocation_at_once_with_its_reason(running: Running) -> None:
    assert "ee.pem: good" in ask(running)
    with db.transaction() as session:
        revocations.revoke(
            session,
            HOUSE,
            running.certificate.id,
            reason=RevocationReason.CESSATION_OF_OPERATION,
            now=datetime.now(UTC),
        )
    said = ask(running)
    assert "Response verify OK" in said
    assert "ee.pem: revoked" in said
    assert "cessationOfOperation" in said


def test_a_suspended_certificate_is_on_hold_and_good_again_after_release(running: Running) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        revocations.revoke(session, HOUSE, running.certificate.id, reason=RevocationReason.CERTIFICATE_HOLD, now=now)
    assert "certificateHold" in ask(running)
    with db.transaction() as session:
        revocations.release(session, HOUSE, running.certificate.id, now=now)
    assert "ee.pem: good" in ask(running)


def test_a_serial_number_never_issued_is_unknown(running: Running) -> None:
    said = ask(running, serial="0x01deadbeef")
    assert "Response verify OK" in said
    assert "unknown" in said


def test_an_intent_that_was_not_signed_yet_is_not_good(running: Running, change: Callable[..., None]) -> None:
    change(running.certificate, state=CertificateState.PREPARED)
    assert "ee.pem: unknown" in ask(running)


def test_the_certificate_of_an_authority_is_good_at_the_root(running: Running) -> None:
    done = running.run(
        "ocsp", "-issuer", "root.pem", "-cert", ISSUER, "-url", f"{running.url}/ocsp", "-CAfile", "root.pem"
    )
    assert f"{ISSUER}: good" in done.stdout


def test_two_certificates_in_one_request_get_two_answers(running: Running) -> None:
    said = ask(running, "-serial", "0x01deadbeef")
    assert "ee.pem: good" in said
    assert "0x01deadbeef: unknown" in said


def test_the_answer_for_another_city_is_unauthorized(running: Running) -> None:
    running.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "k.pem")
    running.run("req", "-x509", "-new", "-key", "k.pem", "-subj", "/CN=elsewhere", "-out", "foreign.pem")
    done = running.run("ocsp", "-issuer", "foreign.pem", "-serial", "1", "-url", f"{running.url}/ocsp")
    assert "unauthorized (6)" in done.stdout + done.stderr


@pytest.mark.parametrize("body", [b"", b"0\x00", b"x" * 4096, b"x" * 100_000])
def test_what_is_not_a_request_gets_malformed_request_and_never_an_error_of_http(running: Running, body: bytes) -> None:
    assert post(running, body).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_request_by_get_is_answered_with_headers_for_caches(running: Running) -> None:
    text = quote(base64.b64encode(request_for(running)).decode(), safe="")
    with urllib.request.urlopen(f"{running.url}/ocsp/{text}") as answer:
        response = ocsp.load_der_ocsp_response(answer.read())
        assert "max-age=30" in answer.headers["Cache-Control"]
        assert answer.headers["ETag"]
        assert answer.headers["Expires"]
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD


def test_an_answer_by_post_is_not_kept_by_caches(running: Running) -> None:
    request = urllib.request.Request(f"{running.url}/ocsp", data=request_for(running), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_get_that_is_not_base64_is_malformed(running: Running) -> None:
    with urllib.request.urlopen(f"{running.url}/ocsp/not%20base64%C3%A9") as answer:
        response = ocsp.load_der_ocsp_response(answer.read())
    assert response.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_the_answer_asks_to_come_back_when_the_database_is_away(
    running: Running, closed_database: Callable[[], None]
) -> None:
    closed_database()
    response = post(running, request_for(running))
    assert response.response_status is ocsp.OCSPResponseStatus.TRY_LATER
