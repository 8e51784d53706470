"""The report under the city's seal: `worker` seals what it found itself, and other programs accept what comes out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update
from werkzeug.test import TestResponse

from app.audit.models import AuditEntry
from app.certificates import register
from app.certificates.models import Certificate
from app.core import db
from app.core.errors import Unavailable
from app.core.permissions import house
from app.core.settings import Settings
from app.verification import report_seal, reports, tasks
from app.verification.models import CheckReport
from app.verification.spool import Kind, Spool, SpoolDamaged
from pki.profiles import ProfileName
from tests.app.verification.test_check import check, main_of, verdict_of
from tests.factories.attacks import with_annotation
from tests.factories.documents import encrypted_pdf, plain_pdf
from tests.factories.forms import csrf_token


@pytest.fixture
def plain() -> bytes:
    return plain_pdf()


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
    assert "Chỉ mất vài giây" in main_of(client.get(page))
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
    assert "Dịch vụ kiểm tra chữ ký" in seen
    subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)


def test_the_check_calls_its_own_report_valid_and_names_the_service(
    client: FlaskClient, signed_pdf: bytes, tmp_path: Path
) -> None:
    answer = check(client, sealed(client, signed_pdf, tmp_path / "report.pdf").read_bytes())
    assert verdict_of(answer) == "Hợp lệ"
    assert "Dịch vụ kiểm tra chữ ký (Thành phố Sông Biếc)" in main_of(answer)


def test_a_red_report_names_the_pages_and_the_reason(client: FlaskClient, signed_pdf: bytes, tmp_path: Path) -> None:
    read = text_in(sealed(client, with_annotation(signed_pdf), tmp_path / "report.pdf"))
    assert "Không hợp lệ" in read
    assert "Trang 1: Có 1 chỗ thay đổi." in read


def test_a_report_is_in_the_language_of_its_reader(client: FlaskClient, signed_pdf: bytes, tmp_path: Path) -> None:
    client.set_cookie("kyvao-language", "en")
    page = order(client, signed_pdf).location
    work()
    (tmp_path / "report.pdf").write_bytes(client.get(f"{page}/file").data)
    read = text_in(tmp_path / "report.pdf")
    assert "Report of a check of signatures" in read
    assert "Sealed by: Dịch vụ kiểm tra chữ ký, Thành phố Sông Biếc" in read


def test_openssl_accepts_the_seal_under_the_citys_root(
    client: FlaskClient, signed_pdf: bytes, city: Settings, tmp_path: Path
) -> None:
    pdf = sealed(client, signed_pdf, tmp_path / "report.pdf").read_bytes()
    found = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)", pdf)
    assert found is not None
    start, length, second, rest = (int(one) for one in found.groups())
    padded = bytes.fromhex(pdf[start + length + 1 : second - 1].decode())
    # Two octets of tag and kind of length, two of length; zeros fill the rest of the place.
    (tmp_path / "cms").write_bytes(padded[: 4 + int.from_bytes(padded[2:4])])
    (tmp_path / "content").write_bytes(pdf[start : start + length] + pdf[second : second + rest])
    with db.transaction() as session:
        roots, below = register.trust_material(session)
    chain = b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in (*roots, *below))
    (tmp_path / "chain.pem").write_bytes(chain)
    words = ("-verify", "-inform", "DER", "-binary", "-purpose", "any", "-out", "/dev/null")
    files = ("-in", tmp_path / "cms", "-content", tmp_path / "content", "-CAfile", tmp_path / "chain.pem")
    subprocess.run(["openssl", "cms", *words, *files], check=True, capture_output=True)


def test_nothing_is_left_of_a_file_once_it_is_checked_nor_of_the_report_after_its_minutes(
    client: FlaskClient, signed_pdf: bytes, city: Settings, tmp_path: Path
) -> None:
    stored = {one for one in (city.data_dir / "objects").rglob("*") if one.is_file()}
    sealed(client, signed_pdf, tmp_path / "report.pdf")
    assert [one.suffix for one in spooled(city)] == [".report"]
    with db.transaction() as session:
        reports.sweep(session, city, now=datetime.now(UTC) + reports.LIFE)
    assert spooled(city) == []
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(CheckReport)) == 0
    assert {one for one in (city.data_dir / "objects").rglob("*") if one.is_file()} == stored


def test_what_lies_in_the_spool_cannot_be_read_without_the_readers_address(
    client: FlaskClient, signed_pdf: bytes, city: Settings
) -> None:
    page = order(client, signed_pdf).location
    (waits,) = spooled(city)
    assert b"%PDF" not in waits.read_bytes()
    work()
    (made,) = spooled(city)
    assert b"%PDF" not in made.read_bytes()
    with db.transaction() as session:
        row = session.scalars(select(CheckReport)).one()
        assert row.secret is None
        with pytest.raises(SpoolDamaged):
            Spool(city.data_dir).open(row.id, Kind.REPORT, row.token_sha256, BytesIO())
    assert client.get(f"{page[:-1]}{'A' if page[-1] != 'A' else 'B'}/file").status_code == 404
    for strange in ("ä", "A", "x" * 500):
        assert client.get(f"/verify/reports/{strange}/file").status_code == 404
        assert "không còn nữa" in main_of(client.get(f"/verify/reports/{strange}"))


def test_a_file_that_cannot_be_checked_leaves_a_reason_and_nothing_else(client: FlaskClient, city: Settings) -> None:
    for pdf, sentence in ((b"no pdf", "không phải là PDF"), (encrypted_pdf(), "mật khẩu")):
        page = order(client, pdf).location
        work()
        assert sentence in main_of(client.get(page))
        assert client.get(f"{page}/file").status_code == 404
    assert spooled(city) == []


def test_without_a_timestamp_there_is_no_report_and_the_file_waits_for_the_next_try(
    client: FlaskClient, signed_pdf: bytes, city: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = order(client, signed_pdf).location
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        work()
    assert [one.suffix for one in spooled(city)] == [".file"]
    assert client.get(f"{page}/file").status_code == 404
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", city.status_internal_url)
    work()
    assert client.get(f"{page}/file").status_code == 200


@pytest.mark.parametrize("point", ["verification.report_written", "verification.report_committed"])
def test_a_killed_worker_leaves_one_report_and_no_file(
    client: FlaskClient, signed_pdf: bytes, city: Settings, point: str
) -> None:
    page = order(client, signed_pdf).location
    (order_id,) = waiting()
    program = f"from app.core import db; from app.verification import tasks; import app.models; import os; db.configure(os.environ['KYVAO_DATABASE_URL']); tasks.make_report.func({order_id!r})"  # fmt: skip  # noqa: E501
    environ = {
        **os.environ,
        "KYVAO_FAILPOINT": f"{point}:kill",
        "KYVAO_DATABASE_URL": city.database_url or "",
        "KYVAO_DATA": str(city.data_dir),
    }
    ended = subprocess.run([sys.executable, "-c", program], env=environ, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    # The queue gives the job of a dead worker to the next one.
    tasks.make_report.func(order_id)
    assert client.get(f"{page}/file").data.startswith(b"%PDF")
    assert [one.suffix for one in spooled(city)] == [".report"]
    with db.transaction() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.act == "check_report_sealed")).all()
    assert len(entries) == 1


def test_what_a_crash_left_behind_is_swept_within_a_minute(client: FlaskClient, plain: bytes, city: Settings) -> None:
    order(client, plain)
    with db.transaction() as session:
        session.execute(delete(CheckReport))
    now = datetime.now(UTC)
    with db.transaction() as session:
        assert reports.sweep(session, city, now=now + timedelta(seconds=30)) == 0
        assert reports.sweep(session, city, now=now + timedelta(seconds=90)) == 1
    assert spooled(city) == []


def test_an_order_whose_time_is_over_is_not_carried_out(client: FlaskClient, plain: bytes, city: Settings) -> None:
    page = order(client, plain).location
    with db.transaction() as session:
        session.execute(update(CheckReport).values(asked_at=datetime.now(UTC) - reports.LIFE))
    work()
    assert "không còn nữa" in main_of(client.get(page))
    assert client.get(f"{page}/file").status_code == 404
    assert spooled(city) == []


def test_the_seal_is_made_once_and_the_next_one_before_it_ends(city: Settings) -> None:
    now = datetime.now(UTC)
    for at in (now, now + timedelta(days=300), now + timedelta(days=306), now + timedelta(days=307)):
        with db.transaction() as session:
            report_seal.renew(session, city, house("test"), now=at)
    with db.transaction() as session:
        made = session.scalars(select(Certificate).where(Certificate.profile == ProfileName.REPORT_SEAL)).unique().all()
    assert len(made) == 2
    # No clerk of an agency can be given it.
    assert {one.agency_id for one in made} == {None}


def test_no_file_another_form_and_too_many_are_refused(client: FlaskClient, plain: bytes, city: Settings) -> None:
    assert order(client, None).status_code == 422
    assert client.post("/verify/reports", data={"paper": (BytesIO(plain), "a.pdf")}).status_code == 400
    assert [order(client, plain).status_code for _ in range(5)] == [303] * 4 + [429]


def test_when_very_many_wait_the_next_one_is_asked_to_come_back(
    client: FlaskClient, plain: bytes, city: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_MOST_WAITING", 1)
    assert order(client, plain).status_code == 303
    assert order(client, plain).status_code == 503
    assert len(spooled(city)) == 1
