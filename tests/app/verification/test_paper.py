"""The report as a PDF: only our own text is stamped, and other programs read and check what comes out."""

from __future__ import annotations

import random
import re
import subprocess
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from pyhanko.pdf_utils.reader import PdfFileReader
from werkzeug.test import TestResponse

from app.core.settings import Settings
from app.verification import paper
from pki.pades.text_pages import Paragraph
from tests.app.verification.test_check import check, main_of
from tests.factories.attacks import with_annotation
from tests.factories.forms import csrf_token


def text_in(answer: TestResponse) -> str | None:
    found = re.search(r'name="text"[^>]* value="([^"]+)"', main_of(answer))
    return unescape(found[1]) if found else None


def ask(client: FlaskClient, text: str | None) -> TestResponse:
    token = csrf_token(client, "/verify")
    return client.post("/verify/report", data={"csrf_token": token, "text": text or ""})


def test_the_report_is_a_pdf_that_other_programs_read_with_the_citys_timestamp_over_all_of_it(
    client: FlaskClient, signed_pdf: bytes, tmp_path: Path
) -> None:
    answer = ask(client, text_in(check(client, signed_pdf)))
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    path = tmp_path / "report.pdf"
    path.write_bytes(answer.data)
    read = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True).stdout
    for fact in ("Báo cáo kiểm tra chữ ký", "Hợp lệ", "Trần Văn Minh", "TOTAL-PASSED", "/verify"):
        assert fact in read
    # Poppler reads this kind of timestamp only in part, and says so with its exit code.
    seen = subprocess.run(["pdfsig", "-nocert", path], check=False, capture_output=True, text=True).stdout
    assert "Total document signed" in seen
    subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)
    (stamp,) = PdfFileReader(BytesIO(answer.data)).embedded_timestamp_signatures
    stamp.compute_integrity_info()
    assert stamp.sig_object["/SubFilter"] == "/ETSI.RFC3161"


def test_the_report_of_a_changed_paper_names_the_pages(client: FlaskClient, signed_pdf: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(ask(client, text_in(check(client, with_annotation(signed_pdf)))).data)
    read = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True).stdout
    assert "Trang 1: Có 1 chỗ thay đổi." in read


def test_a_text_that_we_did_not_write_is_not_stamped(client: FlaskClient, signed_pdf: bytes) -> None:
    ours = text_in(check(client, signed_pdf)) or ""
    for forged in (ours[:-1] + ("A" if ours[-1] != "A" else "B"), "x", "a.b.c"):
        assert ask(client, forged).status_code == 422
    other = URLSafeTimedSerializer("another secret", salt="report of a check").dumps({"language": "vi", "text": []})
    assert ask(client, str(other)).status_code == 422


def test_a_report_is_stamped_for_an_hour(
    client: FlaskClient, signed_pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_in(check(client, signed_pdf))
    monkeypatch.setattr(paper, "LIFE", timedelta(seconds=-1))
    assert ask(client, text).status_code == 422


def test_nothing_to_stamp_leads_back_to_the_check(client: FlaskClient, city: Settings) -> None:
    assert ask(client, None).location == "/verify"


def test_a_silent_timestamp_service_gives_no_report_without_a_timestamp(web: Flask, settings: Settings) -> None:
    with web.test_request_context():
        sealed = paper.seal_text(settings, [Paragraph("Báo cáo")])
    client = web.test_client()
    # No `status` runs in this test.
    answer = ask(client, sealed)
    assert answer.status_code == 503
    assert b"%PDF" not in answer.data


def test_a_report_too_long_for_a_form_has_no_pdf(web: Flask, settings: Settings) -> None:
    noise = random.Random(1)
    long = [Paragraph(noise.randbytes(1000).hex()) for _ in range(400)]
    with web.test_request_context():
        assert paper.seal_text(settings, long[:10]) is not None
        assert paper.seal_text(settings, long) is None
