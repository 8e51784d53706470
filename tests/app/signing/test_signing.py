"""A signature from the first request to the file, judged by Poppler and OpenSSL; and every way it is refused."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from wsgiref.simple_server import WSGIServer

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app.certificates import revocations
from app.core import db
from app.documents.models import DocumentVersion
from app.signing.models import SigningSession
from pki.keys import Curve, SoftwareKey
from pki.revocation import RevocationReason
from tests.app.documents.test_scope import ask
from tests.app.signing.conftest import Signer
from tests.factories.certificates import actor
from tests.factories.documents import answer_of, complete, plain_pdf, prepare, send_signature, signed, uploaded

SignIn = Callable[[str], FlaskClient]


def count_of_versions(document_id: UUID) -> int:
    query = select(func.count()).select_from(DocumentVersion).where(DocumentVersion.document_id == document_id)
    with db.transaction() as session:
        return session.scalar(query) or 0


def poppler(pdf: bytes, folder: Path) -> str:
    path = folder / "signed.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=False, text=True)
    return done.stdout


def test_a_signed_paper_is_valid_and_whole_for_poppler(sign_in: SignIn, minh: Signer, tmp_path: Path) -> None:
    client = sign_in("minh")
    pdf = signed(client, uploaded(client, plain_pdf(pages=2)), minh.certificate, minh.key, page=2)
    verdict = poppler(pdf, tmp_path)
    assert "Signature is Valid" in verdict
    assert "Total document signed" in verdict
    assert "ETSI.CAdES.detached" in verdict


def test_a_second_signer_of_another_agency_leaves_the_first_signature_valid(
    sign_in: SignIn, minh: Signer, hanh: Signer, tmp_path: Path
) -> None:
    first, second = sign_in("minh"), sign_in("hanh")
    document_id = uploaded(first)
    assert ask(first, document_id, "hanh", "hanh") == 302
    signed(first, document_id, minh.certificate, minh.key)
    pdf = signed(second, document_id, hanh.certificate, hanh.key, baseNumber=2, corner="bottom_left")
    verdict = poppler(pdf, tmp_path)
    assert verdict.count("Signature is Valid") == 2
    assert verdict.count("Total document signed") == 1
    assert "Đã ký" in first.get(f"/documents/{document_id}").get_data(as_text=True)
    assert "đang chờ bạn ký" not in second.get("/").get_data(as_text=True)


def test_the_prepared_file_and_the_signed_one_differ_only_in_the_place_of_the_signature(
    sign_in: SignIn, minh: Signer
) -> None:
    client = sign_in("minh")
    prepared = prepare(client, uploaded(client), minh.certificate).get_json()
    waiting = client.get(prepared["preparedUrl"]).get_data()
    done = complete(client, prepared, minh.key).get_json()
    pdf = client.get(done["downloadUrl"]).get_data()
    _, start, end, _ = prepared["byteRange"]
    assert (waiting[:start], waiting[end:]) == (pdf[:start], pdf[end:])
    assert waiting[start:end] != pdf[start:end]


def test_completing_a_signature_twice_keeps_one_version(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    first, second = complete(client, prepared, minh.key), complete(client, prepared, minh.key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.get_json() == second.get_json()
    assert count_of_versions(document_id) == 2


def test_a_signer_on_a_stale_version_is_refused_and_told_so(sign_in: SignIn, minh: Signer, hanh: Signer) -> None:
    first, second = sign_in("minh"), sign_in("hanh")
    document_id = uploaded(first)
    ask(first, document_id, "hanh", "hanh")
    slow = prepare(second, document_id, hanh.certificate).get_json()
    signed(first, document_id, minh.certificate, minh.key)
    late = complete(second, slow, hanh.key)
    assert late.status_code == 409
    assert "đã có người khác ký" in late.get_json()["title"]
    assert prepare(second, document_id, hanh.certificate).status_code == 409
    assert count_of_versions(document_id) == 2


def test_a_session_older_than_ten_minutes_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    with db.transaction() as session:
        session.execute(update(SigningSession).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert client.get(prepared["preparedUrl"]).status_code == 409
    assert complete(client, prepared, minh.key).status_code == 409
    assert count_of_versions(document_id) == 1


def test_preparing_again_ends_the_earlier_session(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    first = prepare(client, document_id, minh.certificate).get_json()
    assert prepare(client, document_id, minh.certificate).status_code == 201
    assert complete(client, first, minh.key).status_code == 409


def test_another_persons_session_is_not_found(sign_in: SignIn, minh: Signer, hanh: Signer) -> None:
    owner, other = sign_in("minh"), sign_in("hanh")
    prepared = prepare(owner, uploaded(owner), minh.certificate).get_json()
    assert other.get(prepared["preparedUrl"]).status_code == 404
    assert complete(other, prepared, hanh.key).status_code == 404


def test_another_persons_certificate_is_not_found(sign_in: SignIn, minh: Signer, hanh: Signer) -> None:
    client = sign_in("minh")
    assert minh.certificate.sha256
    assert prepare(client, uploaded(client), hanh.certificate).status_code == 404


def test_a_paper_of_another_agency_cannot_be_prepared(sign_in: SignIn, minh: Signer, hanh: Signer) -> None:
    document_id = uploaded(sign_in("minh"))
    assert minh.certificate.sha256
    assert prepare(sign_in("hanh"), document_id, hanh.certificate).status_code == 404


def test_a_signature_by_another_key_is_refused_and_nothing_is_stored(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    assert complete(client, prepared, SoftwareKey.generate(Curve.P256)).status_code == 422
    assert count_of_versions(document_id) == 1


def test_a_signature_with_one_flipped_bit_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    value = bytearray(answer_of(minh.key, base64.b64decode(prepared["signedAttributes"])))
    value[40] ^= 1
    assert send_signature(client, prepared["completeUrl"], bytes(value)).status_code == 422
    assert count_of_versions(document_id) == 1


def test_the_answer_to_another_preparation_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    first = prepare(client, uploaded(client), minh.certificate).get_json()
    other = prepare(client, uploaded(client, plain_pdf("Khac")), minh.certificate).get_json()
    swapped = {**first, "signedAttributes": other["signedAttributes"]}
    assert complete(client, swapped, minh.key).status_code == 422


def test_what_is_no_signature_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    prepared = prepare(client, uploaded(client), minh.certificate).get_json()
    for value in (b"", bytes(63), bytes(65), bytes(64)):
        assert send_signature(client, prepared["completeUrl"], value).status_code == 422, len(value)


@pytest.mark.parametrize(
    ("reason", "word"),
    [(RevocationReason.CERTIFICATE_HOLD, "tạm dừng"), (RevocationReason.KEY_COMPROMISE, "thu hồi")],
)
def test_a_certificate_ended_between_the_two_requests_signs_nothing(
    sign_in: SignIn, minh: Signer, reason: RevocationReason, word: str
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    end_certificate(minh, reason)
    late = complete(client, prepared, minh.key)
    assert late.status_code == 409
    assert word in late.get_json()["title"]
    assert count_of_versions(document_id) == 1
    assert prepare(client, document_id, minh.certificate).status_code == 409


def test_without_a_timestamp_the_version_says_that_it_is_pending(
    sign_in: SignIn, minh: Signer, status_server: WSGIServer
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    status_server.set_app(_silent)
    answer = complete(client, prepared, minh.key)
    assert answer.status_code == 200
    assert answer.get_json()["timestampPending"] is True
    with db.transaction() as session:
        made = session.scalars(select(DocumentVersion).where(DocumentVersion.number == 2)).one()
        assert (made.level, made.timestamp_pending) == ("B-B", True)
    assert "Dấu thời gian đang chờ" in client.get(f"/documents/{document_id}").text


def test_a_request_that_makes_no_sense_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    changes: list[dict[str, object]] = [
        {"page": 0},
        {"page": 2},
        {"page": True},
        {"corner": "middle"},
        {"xMm": -1},
        {"xMm": 200},
        {"xMm": "20"},
        {"yMm": float("nan")},
        {"reason": "x" * 201},
        {"reason": "one\ntwo"},
        {"reason": 5},
        {"certificateSha256": "00"},
        {"certificateSha256": None},
        {"baseNumber": None},
    ]
    for change in changes:
        assert prepare(client, document_id, minh.certificate, **change).status_code == 422, change


def test_the_twenty_first_preparation_in_a_minute_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    nowhere = UUID("00000000-0000-4000-8000-000000000000")
    answers = [prepare(client, nowhere, minh.certificate).status_code for _ in range(21)]
    assert answers == [404] * 20 + [429]


def test_a_huge_body_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    assert prepare(client, uploaded(client), minh.certificate, reason="x" * 2_000_000).status_code in {413, 422}


def test_a_request_without_the_form_token_is_refused(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    answer = client.post(
        f"/documents/{uploaded(client)}/signatures",
        json={"certificateSha256": minh.certificate.sha256},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 400


def end_certificate(signer: Signer, reason: RevocationReason) -> None:
    """Suspend as the holder does, or revoke as an administrator does."""
    with db.transaction() as session:
        if reason is RevocationReason.CERTIFICATE_HOLD:
            revocations.suspend_own(session, actor(signer.login), signer.certificate.id, now=datetime.now(UTC))
        else:
            revocations.revoke(session, actor("oanh"), signer.certificate.id, reason=reason, now=datetime.now(UTC))


def _silent(environ: object, start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    del environ
    start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
    return [b""]
