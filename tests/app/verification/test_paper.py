"""The report under the city's seal: `worker` seals what it found itself, and other programs accept what comes out."""

from __future__ import annotations

import re
import subprocess
from html import unescape
from io import BytesIO
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import db
from app.core.settings import Settings
from app.verification import tasks
from app.verification.models import CheckReport
from tests.app.verification.test_check import check, main_of, verdict_of
from tests.factories.forms import csrf_token


def order(client: FlaskClient, pdf: bytes | None, name: str = "giấy.pdf") -> TestResponse:
    data: dict[str, object] = {"csrf_token": csrf_token(client, "/verify")}
    if pdf is not None:
        data["paper"] = (BytesIO(pdf), name)
    return client.post("/verify/reports", data=data, content_type="multipart/form-data")


def waiting() -> list[str]:
    with db.transaction() as session:
        return [str(one) for one in session.scalars(select(CheckReport.id).where(CheckReport.secret.is_not(None)))]


def work() -> None:
    """Do what waits, as `worker` does."""
    for one in waiting():
        tasks.make_report.func(one)


def sealed(client: FlaskClient, pdf: bytes, to: Path) -> Path:
    """Order a report, let it be made, and save it."""
    page = order(client, pdf).location
    assert "Đang" in main_of(client.get(page)) or "mất vài giây" in main_of(client.get(page))
    work()
    found = re.search(r'href="(/verify/reports/[^"]+/file)"', main_of(client.get(page)))
    assert found is not None
    answer = client.get(unescape(found[1]))
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    to.write_bytes(answer.data)
    return to


def text_in(path: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True).stdout


def spooled(settings: Settings) -> list[Path]:
    return [one for one in (settings.data_dir / "spool").rglob("*") if one.is_file()]


def test_the_report_says_what_was_found_and_other_programs_accept_its_seal(
    client: FlaskClient, signed_pdf: bytes, tmp_path: Path
) -> None:
    path = sealed(client, signed_pdf, tmp_path / "report.pdf")
    read = text_in(path)
    for fact in ("Báo cáo kiểm tra chữ ký", "giấy.pdf", "Hợp lệ", "Trần Văn Minh", "TOTAL-PASSED", "/verify", "+07:00"):
        assert fact in read
    seen = subprocess.run(["pdfsig", "-nocert", path], check=False, capture_output=True, text=True).stdout
    assert "Signature is Valid" in seen
    assert "Kiểm tra chữ ký" in seen
    subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)


def test_the_check_calls_its_own_report_valid_and_names_the_service(
    client: FlaskClient, signed_pdf: bytes, tmp_path: Path
) -> None:
    answer = check(client, sealed(client, signed_pdf, tmp_path / "report.pdf").read_bytes())
    assert verdict_of(answer) == "Hợp lệ"
    assert "Kiểm tra chữ ký – Thành phố Sông Biếc" in main_of(answer)
