"""What the API does for a program, and what it refuses."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from cryptography import x509
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from app.accounts.models import Account
from app.accounts.token_models import AccessToken, ApiAnswer
from app.audit.models import AuditEntry
from app.certificates.models import CertificateRequest
from app.core import db
from app.core.permissions import Permission
from app.core.settings import Settings
from pki.keys import Curve, SoftwareKey
from tests.factories.api import Program, token_of
from tests.factories.certificates import ask, issued_to
from tests.factories.csrs import csr_der

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_a_certificate_is_asked_for_approved_found_fetched_and_revoked_by_programs(city: Settings, web: Flask) -> None:
    holder, officer, administrator = (Program(web, token_of(who)) for who in ("minh", "dung", "oanh"))
    challenge = holder.post("/challenges").get_json()["challenge"]
    csr = base64.b64encode(csr_der(SoftwareKey.generate(Curve.P256), challenge)).decode()
    asked = holder.post("/requests", {"csr_base64": csr, "challenge": challenge})
    assert (asked.status_code, asked.get_json()["state"]) == (201, "requested")
    waiting = officer.get("/requests").get_json()["requests"]
    assert [one["id"] for one in waiting] == [asked.get_json()["id"]]
    approved = officer.post(f"/requests/{waiting[0]['id']}/approval")
    assert (approved.status_code, approved.get_json()["state"]) == (200, "approved")
    from app.certificates import tasks

    tasks.issue.func(waiting[0]["id"])
    (found,) = administrator.get("/certificates", q="tran van minh").get_json()["certificates"]
    fetched = administrator.get(f"/certificates/{found['id']}/der")
    assert fetched.content_type == "application/pkix-cert"
    assert f"{x509.load_der_x509_certificate(fetched.data).serial_number:x}" == found["serial_hex"].lstrip("0")
    revoked = administrator.post("/revocations", {"certificate_id": found["id"], "reason": "key_compromise"})
    assert (revoked.status_code, revoked.get_json()["state"]) == (201, "revoked")
    assert administrator.get(f"/certificates/{found['id']}").get_json()["reason"] == "key_compromise"


def test_a_request_sent_twice_with_one_key_acts_once_and_gets_the_same_answer(city: Settings, web: Flask) -> None:
    certificate = issued_to("minh")
    administrator = Program(web, token_of("oanh"))
    body = {"certificate_id": str(certificate.id), "reason": "superseded"}
    first = administrator.post("/revocations", body, key="one")
    second = administrator.post("/revocations", body, key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    other = administrator.post("/revocations", body | {"reason": "key_compromise"}, key="one")
    assert other.status_code == 409
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.act == "certificate_revoked")) == 1


def test_a_request_that_failed_leaves_its_key_free(city: Settings, web: Flask) -> None:
    administrator = Program(web, token_of("oanh"))
    body = {"certificate_id": NOBODY, "reason": "superseded"}
    assert administrator.post("/revocations", body, key="one").status_code == 404
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(ApiAnswer)) == 0


def test_a_token_allows_no_more_than_its_scopes(city: Settings, web: Flask) -> None:
    certificate = issued_to("minh")
    reader = Program(web, token_of("oanh", Permission.FIND_CERTIFICATES))
    assert reader.get("/certificates").status_code == 200
    refused = reader.post("/revocations", {"certificate_id": str(certificate.id), "reason": "superseded"})
    assert refused.status_code == 403
    assert refused.content_type == "application/problem+json"


def test_a_token_allows_no_more_than_its_person_any_more(city: Settings, web: Flask) -> None:
    program = Program(web, token_of("oanh"))
    with db.transaction() as session:
        session.execute(update(Account).where(Account.login == "oanh").values(disabled_at=datetime.now(UTC)))
    assert program.get("/certificates").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic b2FuaDpvYW5o", "Bearer " + "a" * 5000])
def test_what_is_not_a_token_is_refused_with_the_way_to_ask(city: Settings, web: Flask, header: str) -> None:
    answer = web.test_client().get("/api/v1/certificates", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_has_ended_is_refused(city: Settings, web: Flask) -> None:
    old, ended = token_of("oanh"), token_of("oanh")
    now = datetime.now(UTC)
    with db.transaction() as session:
        first, second = session.scalars(select(AccessToken).order_by(AccessToken.created_at))
        first.expires_at, second.revoked_at = now - timedelta(seconds=1), now
    for token in (old, ended):
        assert Program(web, token).get("/certificates").status_code == 401


def test_a_page_that_a_person_is_signed_in_to_is_of_no_use_for_the_api(city: Settings, web: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    assert sign_in("oanh").get("/api/v1/certificates").status_code == 401


def test_certificates_and_requests_outside_the_scope_are_not_found(city: Settings, web: Flask) -> None:
    request_id = ask("minh")
    with db.transaction() as session:
        session.get_one(CertificateRequest, request_id).agency_id = None
    officer = Program(web, token_of("dung"))
    assert officer.get(f"/requests/{NOBODY}").status_code == 404
    assert officer.get(f"/certificates/{NOBODY}").status_code == 404
    assert officer.post(f"/requests/{NOBODY}/approval").status_code == 404


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"certificate_id": "x", "reason": "superseded"}, "body/certificate_id"),
        ({"certificate_id": NOBODY, "reason": "because"}, "body/reason"),
        ({"certificate_id": NOBODY, "reason": "superseded", "more": 1}, "body/more"),
        ({"certificate_id": NOBODY, "reason": "superseded", "invalidity_date": "2026-01-01T00:00"}, "invalidity_date"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_says_where(
    city: Settings, web: Flask, body: object, where: str
) -> None:
    refused = Program(web, token_of("oanh")).post("/revocations", body)
    if body is None:
        assert refused.status_code == 415
        return
    assert refused.status_code == 422
    assert any(where in one["where"] for one in refused.get_json()["errors"])


def test_a_parameter_that_is_not_known_and_a_cursor_that_is_none_are_refused(city: Settings, web: Flask) -> None:
    program = Program(web, token_of("oanh"))
    assert program.get("/certificates", colour="red").status_code == 422
    assert program.get("/certificates", after="x").status_code == 422
    assert program.get("/approvals", page="2").status_code == 422


def test_pages_go_on_where_the_last_one_ended(city: Settings, web: Flask) -> None:
    program = Program(web, token_of("oanh"))
    found: list[str] = []
    after = None
    while True:
        page = program.get("/certificates", **({"after": after} if after else {})).get_json()
        found += [one["id"] for one in page["certificates"]]
        after = page["next"]
        if after is None:
            break
    with db.transaction() as session:
        from app.certificates.models import Certificate

        everything = session.scalar(select(func.count()).where(Certificate.der.is_not(None)))
    assert len(found) == len(set(found)) == everything


def test_a_method_that_is_not_there_is_named_with_those_that_are(city: Settings, web: Flask) -> None:
    answer = web.test_client().delete("/api/v1/certificates")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert web.test_client().get("/api/v1/nothing").content_type == "application/problem+json"


def test_a_refusal_is_in_the_language_that_the_program_asks_for(city: Settings, web: Flask) -> None:
    client = web.test_client()
    titles = {
        language: client.get("/api/v1/certificates", headers={"Accept-Language": language}).get_json()["title"]
        for language in ("en-GB", "vi", "fr")
    }
    assert titles["en-GB"] == "The access token is missing, or it is not valid any more."
    assert titles["vi"] == titles["fr"] != titles["en-GB"]


def test_a_request_sent_twice_at_the_same_moment_acts_once(city: Settings, web: Flask) -> None:
    certificate, token = issued_to("minh"), token_of("oanh")
    body = {"certificate_id": str(certificate.id), "reason": "superseded"}
    barrier = Barrier(4)

    def send(_: int) -> TestResponse:
        program = Program(web, token)
        barrier.wait()
        return program.post("/revocations", body, key="one")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.text for one in answers}) == 1
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.act == "certificate_revoked")) == 1
