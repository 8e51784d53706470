"""The pages of the register and the console, and the files that leave it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from cryptography import x509
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.certificates import exports
from app.certificates.models import CertificateState
from app.certificates.register_filters import Filters, Sort
from app.core import db
from app.core.permissions import Actor, Grant, Role, house
from app.core.settings import Settings
from tests.factories.certificates import issued_to
from tests.factories.forms import csrf_token
from tests.factories.register import NOW, agency, certificate

SignIn = Callable[[str], FlaskClient]
REGISTER = "/certificates/register"


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def post(client: FlaskClient, path: str, **fields: str) -> tuple[int, bytes]:
    answer = client.post(path, data={"csrf_token": csrf_token(client, REGISTER), **fields})
    return answer.status_code, answer.get_data()


def lines_of(filters: Filters, actor: Actor | None = None) -> list[list[str]]:
    found: list[list[str]] = []
    last: exports.Mark | None = None
    while True:
        with db.transaction() as session:
            lines, last = exports.chunk(session, actor or house("test"), filters, last, now=NOW)
        found += lines
        if last is None:
            return found


def test_the_address_keeps_the_search_from_page_to_page(city: Settings, sign_in: SignIn) -> None:
    with db.transaction() as session:
        for number in range(30):
            certificate(session, f"Nguyễn Thị {number:02}", state=CertificateState.REVOKED)
    oanh = sign_in("oanh")
    first = page(oanh, f"{REGISTER}?q=nguyen&state=revoked")
    assert "30 chứng thư số" in first
    assert "Nguyễn Thị 24" in first
    assert "Nguyễn Thị 25" not in first
    following = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert following
    second = page(oanh, following.group(1).replace("&amp;", "&"))
    assert "Nguyễn Thị 29" in second
    assert "Nguyễn Thị 24" not in second
    assert 'value="nguyen"' in second
    # A name never stands in the key of a page.
    assert "nguyen+thi" not in following.group(1).lower()


def test_an_address_with_nonsense_in_it_is_answered(city: Settings, sign_in: SignIn) -> None:
    oanh = sign_in("oanh")
    page(oanh, f"{REGISTER}?after=x&before=y&state=z&use=root&sort=%00&q=%00&agency=%27")
    wrong = oanh.get(f"{REGISTER}?ends_to=31/02/2026")
    assert wrong.status_code == 422
    assert "Đây không phải là ngày" in wrong.get_data(as_text=True)


@pytest.mark.parametrize("login", ["lan", "minh", "thu", "bao"])
def test_nobody_else_enters_the_register_the_console_or_an_export(city: Settings, sign_in: SignIn, login: str) -> None:
    client = sign_in(login)
    assert client.get(REGISTER).status_code == 403
    assert client.get("/authority").status_code == 403
    token = csrf_token(client)
    assert client.post(f"{REGISTER}/export", data={"csrf_token": token, "format": "csv"}).status_code == 403


def test_a_search_is_kept_renamed_and_deleted_and_nobody_else_sees_it(city: Settings, sign_in: SignIn) -> None:
    oanh, khoa = sign_in("oanh"), sign_in("khoa")
    assert post(oanh, f"{REGISTER}/searches", name=" Bị thu  hồi ", q="Nguyễn & Co", state="revoked")[0] == 302
    shown = page(oanh, f"{REGISTER}/searches")
    assert "Bị thu hồi" in shown
    assert "?q=Nguy%E1%BB%85n+%26+Co&amp;state=revoked" in shown
    assert "Bị thu hồi" not in page(khoa, f"{REGISTER}/searches")
    found = re.search(rf'action="({REGISTER}/searches/[0-9a-f-]+)/name"', shown)
    assert found
    path = found.group(1)
    assert post(khoa, f"{path}/name", name="Của tôi")[0] == 404
    assert post(khoa, f"{path}/deletion")[0] == 302
    assert post(oanh, f"{path}/name", name="Tên mới")[0] == 302
    assert post(oanh, f"{REGISTER}/searches", name="Tên khác", q="x")[0] == 302
    assert post(oanh, f"{path}/name", name="Tên khác")[0] == 409
    assert post(oanh, f"{path}/name", name="   ")[0] == 422
    assert "Tên mới" in page(oanh, REGISTER)
    assert post(oanh, f"{path}/deletion")[0] == 302
    assert post(oanh, f"{path}/deletion")[0] == 302
    assert "Tên mới" not in page(oanh, REGISTER)


def test_a_search_of_the_same_name_is_replaced(city: Settings, sign_in: SignIn) -> None:
    oanh = sign_in("oanh")
    for words in ("an", "binh"):
        post(oanh, f"{REGISTER}/searches", name="Một", q=words)
    shown = page(oanh, REGISTER)
    assert "?q=binh" in shown
    assert "?q=an" not in shown


def test_an_export_holds_everything_that_the_search_finds_and_is_recorded(city: Settings, sign_in: SignIn) -> None:
    with db.transaction() as session:
        made = {certificate(session, f"Nguyễn {n}", state=CertificateState.REVOKED).serial_hex for n in range(40)}
        certificate(session, "Nguyễn còn hiệu lực")
    status, body = post(sign_in("khoa"), f"{REGISTER}/export", q="nguyen", state="revoked", format="csv")
    assert status == 200
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows[0][:2] == ["Họ và tên", "Dùng cho"]
    assert {row[2] for row in rows[1:]} == made
    assert len(rows) == 41
    with db.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "register_exported")).one()
    assert entry.facts == {"format": "csv", "asked": "q,state"}


def test_a_workbook_holds_text_and_no_formula(city: Settings, sign_in: SignIn) -> None:
    with db.transaction() as session:
        certificate(session, "=HYPERLINK(1)")
    status, body = post(sign_in("oanh"), f"{REGISTER}/export", q="=hyperlink(1)", format="xlsx")
    assert status == 200
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    cell = sheet.cell(2, 1)
    assert (cell.value, cell.data_type) == ("'=HYPERLINK(1)", "s")


def test_a_fourth_export_within_an_hour_is_refused(city: Settings, sign_in: SignIn) -> None:
    oanh = sign_in("oanh")
    answers = [post(oanh, f"{REGISTER}/export", q="nobody", format="csv")[0] for _ in range(4)]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_begins_a_formula(cell: str) -> None:
    read = next(csv.reader(io.StringIO(exports.csv_line([cell, "a=1"]), newline="")))
    assert read == [f"'{cell}", "a=1"]


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("asked", ["", "nguyen"])
def test_an_export_in_pieces_is_complete_and_has_no_line_twice(
    database: str, monkeypatch: pytest.MonkeyPatch, sort: Sort, asked: str
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 5)
    with db.transaction() as session:
        made = {
            certificate(session, "Nguyễn An", created_at=NOW + timedelta(hours=n // 7)).serial_hex for n in range(20)
        }
    lines = lines_of(Filters(q=asked, sort=sort))
    assert len(lines) == 20
    assert {line[2] for line in lines} == made


def test_an_export_holds_nothing_of_another_agency(database: str) -> None:
    with db.transaction() as session:
        mine = agency(session, "H1", "Một")
        certificate(session, "An", of_agency=mine)
        certificate(session, "Bình", of_agency=agency(session, "H2", "Hai"))
        officer = Actor(None, None, "officer", (Grant(Role.REGISTRATION_OFFICER, mine.id),))
    assert [line[0] for line in lines_of(Filters(), officer)] == ["An"]


def test_a_sheet_that_would_be_too_long_is_refused(
    city: Settings, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "LONGEST_XLSX", 1)
    with db.transaction() as session:
        for _ in range(2):
            certificate(session, "Nguyễn An")
    status, body = post(sign_in("oanh"), f"{REGISTER}/export", format="xlsx")
    assert status == 413
    assert "CSV" in body.decode()


def test_the_page_of_a_certificate_shows_who_did_what_and_gives_the_chain(city: Settings, sign_in: SignIn) -> None:
    minhs = issued_to("minh")
    khoa, path = sign_in("khoa"), f"{REGISTER}/{minhs.id}"
    shown = page(khoa, path)
    assert "Anh Dũng" in shown, "who approved"
    assert "issuing_officials → root" in shown
    assert "Thu hồi…" not in shown, "an auditor only reads"
    certificates = x509.load_pem_x509_certificates(khoa.get(f"{path}.chain").get_data())
    assert certificates[0].serial_number == minhs.serial_number
    for below, above in zip(certificates, [*certificates[1:], certificates[-1]], strict=True):
        below.verify_directly_issued_by(above)
    assert khoa.get(f"{path}.cer").get_data() == minhs.der
    assert x509.load_pem_x509_certificate(khoa.get(f"{path}.pem").get_data()).serial_number == minhs.serial_number
    assert sign_in("lan").get(f"{path}.chain").status_code == 403


def test_the_console_has_every_figure_of_its_charts_in_a_table_too(city: Settings, sign_in: SignIn) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        ward = agency(session, "H77", "Phường Có Biểu Đồ")
        for _ in range(1234):
            certificate(session, "An", of_agency=ward, created_at=now)
    for login in ("oanh", "dung", "khoa"):
        shown = page(sign_in(login), "/authority")
        blocks = re.findall(r'id="chart-data-(\w+)"[^>]*>(.*?)</script>', shown, re.DOTALL)
        charts = {name: json.loads(text) for name, text in blocks}
        assert charts["agencies"]["labels"][0] == "Phường Có Biểu Đồ"
        assert charts["agencies"]["values"][0] == 1234
        assert len(charts["issued"]["labels"]) == 90
        assert "1.234" in shown
        assert shown.count("Xem bảng số liệu") == len(charts)
