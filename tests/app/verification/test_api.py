"""The check for programs: the same answers as at the page, for tokens that may, and nothing kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.accounts.token_models import ApiAnswer
from app.audit.models import AuditEntry
from app.core import db
from app.core.permissions import Permission
from app.core.settings import Settings
from tests.app.verification.test_check import foreign_pdf
from tests.factories.api import token_of
from tests.factories.documents import encrypted_pdf, plain_pdf


def ask(web: Flask, token: str, pdf: bytes, *, kind: str = "application/pdf", key: str | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind} | ({"Idempotency-Key": key} if key else {})
    return web.test_client().post("/api/v1/verifications", data=pdf, headers=headers)


def test_a_signed_paper_is_reported_with_its_indications(web: Flask, signed_pdf: bytes) -> None:
    answer = ask(web, token_of("minh"), signed_pdf)
    found = answer.get_json()
    assert (answer.status_code, found["verdict"], found["reason"]) == (200, "valid", "ok")
    (one,) = found["signatures"]
    assert (one["indication"], one["sub_indication"]) == ("TOTAL-PASSED", None)
    assert one["proven_by"]["kind"] == "signature_timestamp"
    assert one["signer"] in found["etsi_report"]
    assert "mainindication:total-passed" in found["etsi_report"]


def test_a_stranger_is_indeterminate_and_a_changed_paper_has_failed(web: Flask, signed_pdf: bytes) -> None:
    token = token_of("minh")
    stranger = ask(web, token, foreign_pdf()).get_json()
    assert (stranger["verdict"], stranger["signatures"][0]["sub_indication"]) == (
        "indeterminate",
        "NO_CERTIFICATE_CHAIN_FOUND",
    )
    changed = ask(web, token, signed_pdf + b"\n% later").get_json()
    assert (changed["verdict"], changed["reason"]) == ("not_valid", "bytes_after_end")
    assert changed["signatures"][0]["indication"] == "TOTAL-FAILED"


def test_a_paper_without_signature_has_no_report_of_the_standard(web: Flask, city: Settings) -> None:
    found = ask(web, token_of("minh"), plain_pdf()).get_json()
    assert (found["reason"], found["signatures"], found["etsi_report"]) == ("unsigned", [], None)


@pytest.mark.parametrize(("content", "status"), [(b"", 422), (b"no pdf", 422), (b"x" * 106_000_000, 413)])
def test_what_is_no_pdf_is_refused_in_words(web: Flask, city: Settings, content: bytes, status: int) -> None:
    answer = ask(web, token_of("minh"), content)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["title"]


def test_a_password_another_type_another_scope_and_no_token_are_refused(web: Flask, city: Settings) -> None:
    token = token_of("minh")
    assert ask(web, token, encrypted_pdf()).status_code == 422
    assert ask(web, token, plain_pdf(), kind="application/json").status_code == 415
    assert ask(web, token_of("minh", Permission.HOLD_CERTIFICATE), plain_pdf()).status_code == 403
    assert ask(web, "kyvao_nothing", plain_pdf()).status_code == 401


def test_nothing_of_a_checked_paper_is_kept(web: Flask, signed_pdf: bytes, settings: Settings) -> None:
    token = token_of("minh")
    before = _kept(settings)
    assert ask(web, token, signed_pdf, key="once").status_code == 200
    assert ask(web, token, signed_pdf, key="once").status_code == 200
    assert _kept(settings) == before


def _kept(settings: Settings) -> tuple[set[Path], int, int]:
    files = {one for one in settings.data_dir.rglob("*") if one.is_file() and "postgres" not in one.parts}
    with db.transaction() as session:
        answers = session.scalar(select(func.count()).select_from(ApiAnswer)) or 0
        return files, answers, session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def test_too_many_checks_of_one_account_wait(web: Flask, city: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.verification.api._A_MINUTE", 2)
    token = token_of("minh")
    assert [ask(web, token, b"no pdf").status_code for _ in range(3)] == [422, 422, 429]


def test_a_page_of_another_site_cannot_ask_with_a_cookie(sign_in: Callable[[str], FlaskClient], city: Settings) -> None:
    client = sign_in("minh")
    assert client.post("/api/v1/verifications", data=plain_pdf(), content_type="application/pdf").status_code == 401
