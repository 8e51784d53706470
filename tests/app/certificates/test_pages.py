"""The pages, as a browser walks them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from flask.testing import FlaskClient

from app.certificates import tasks
from app.core.i18n import CITY_ZONE
from app.core.settings import Settings
from pki.keys import Curve, SoftwareKey
from tests.factories.certificates import ask, issued_to
from tests.factories.csrs import csr_der
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def post(client: FlaskClient, path: str, form_page: str, **fields: object) -> int:
    token = csrf_token(client, form_page)
    return client.post(path, data={"csrf_token": token, **fields}).status_code


def configuration(html: str, identifier: str) -> dict[str, str]:
    found = re.search(rf'id="{identifier}"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert found
    loaded: dict[str, str] = json.loads(found.group(1))
    return loaded


def submit_as_the_script_does(client: FlaskClient) -> str:
    given = configuration(page(client, "/certificates/new"), "certificate-request")
    csr = csr_der(SoftwareKey.generate(Curve.P256), given["challenge"])
    answer = client.post(
        given["submit"],
        json={"csr": base64.b64encode(csr).decode(), "challenge": given["challenge"]},
        headers={"X-CSRFToken": given["token"], "Accept": "application/json"},
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["href"])


def test_a_citizen_walks_from_the_request_to_the_certificate_and_suspends_it(city: Settings, sign_in: SignIn) -> None:
    lan, dung = sign_in("lan"), sign_in("dung")
    assert "Bạn chưa có chứng thư số" in page(lan, "/certificates/")
    href = submit_as_the_script_does(lan)
    assert "Đang chờ cán bộ đăng ký" in page(lan, href)
    assert "Nguyễn Thị Lan" in page(dung, "/certificates/requests")
    request_id = href.rsplit("/", 1)[1]
    decision = f"/certificates/requests/{request_id}/decision"
    assert post(dung, f"/certificates/requests/{request_id}/approve", decision) == 302
    assert lan.get(f"{href}/state").get_json() == {"state": "approved"}
    tasks.issue.func(request_id)
    assert "Chứng thư số của bạn đã sẵn sàng" in page(lan, href)
    own = page(lan, "/certificates/")
    assert "Đang dùng được" in own
    suspend = re.search(r'href="(/certificates/[0-9a-f-]{36}/suspend)"', own)
    assert suspend
    assert post(lan, suspend.group(1), suspend.group(1)) == 302
    assert "Đang tạm dừng" in page(lan, "/certificates/")


def test_the_reason_of_a_refusal_is_read_by_the_person(city: Settings, sign_in: SignIn) -> None:
    lan, dung = sign_in("lan"), sign_in("dung")
    request_id = ask("lan")
    decision = f"/certificates/requests/{request_id}/decision"
    assert post(dung, f"/certificates/requests/{request_id}/refuse", decision, note="") == 422
    reason = "Ảnh căn cước bị mờ, mời bà đến quầy số 2."
    assert post(dung, f"/certificates/requests/{request_id}/refuse", decision, note=reason) == 302
    assert reason in page(lan, f"/certificates/requests/{request_id}")
    assert "bị từ chối" in page(lan, "/")


def test_what_waits_stands_on_the_home_page(city: Settings, sign_in: SignIn) -> None:
    assert "Bạn chưa có chứng thư số" in page(sign_in("lan"), "/")
    ask("lan")
    assert "1 yêu cầu cấp chứng thư số đang chờ quyết định" in page(sign_in("dung"), "/")


def test_the_request_of_another_person_is_not_found(city: Settings, sign_in: SignIn) -> None:
    request_id = ask("lan")
    minh = sign_in("minh")
    for path in (f"/certificates/requests/{request_id}", f"/certificates/requests/{request_id}/state"):
        assert minh.get(path).status_code == 404


def test_the_certificate_of_another_person_is_not_found(city: Settings, sign_in: SignIn) -> None:
    certificate = issued_to("minh")
    assert sign_in("lan").get(f"/certificates/{certificate.id}/suspend").status_code == 404


def test_a_request_without_the_form_token_or_of_another_shape_is_refused(city: Settings, sign_in: SignIn) -> None:
    lan = sign_in("lan")
    given = configuration(page(lan, "/certificates/new"), "certificate-request")
    headers = {"Accept": "application/json"}
    assert lan.post("/certificates/requests", json={"csr": "", "challenge": ""}, headers=headers).status_code == 400
    headers["X-CSRFToken"] = given["token"]
    for body in (
        {},
        [],
        {"csr": 7, "challenge": "x"},
        {"csr": "%%%", "challenge": "x"},
        {"csr": "MAA=", "challenge": "x"},
    ):
        answer = lan.post("/certificates/requests", json=body, headers=headers)
        assert answer.status_code == 422, body
        assert answer.get_json()["title"]


def test_an_administrator_finds_suspends_releases_and_revokes(city: Settings, sign_in: SignIn) -> None:
    certificate = issued_to("minh")
    oanh = sign_in("oanh")
    assert str(certificate.id) in page(oanh, "/certificates/register?q=tran+van+minh")
    path = f"/certificates/register/{certificate.id}"
    assert certificate.serial_hex in page(oanh, path)
    assert post(oanh, f"{path}/suspend", f"{path}/suspend") == 302
    assert "Đang tạm dừng" in page(oanh, path)
    assert "Một quản trị viên đã tạm dừng" in page(oanh, f"{path}/release")
    assert post(oanh, f"{path}/release", f"{path}/release") == 302
    assert "đang chờ một quản trị viên khác" in page(oanh, f"{path}/release")
    assert "Đang tạm dừng" in page(oanh, path)
    assert post(oanh, f"{path}/revoke", f"{path}/revoke", reason="1", confirmation="tran van minh") == 302
    shown = page(oanh, path)
    assert "Đã thu hồi" in shown
    assert "Mất khoá" in shown


def test_revoking_needs_a_reason_and_the_right_name(city: Settings, sign_in: SignIn) -> None:
    certificate = issued_to("minh")
    oanh, path = sign_in("oanh"), f"/certificates/register/{certificate.id}/revoke"
    for fields in (
        {},
        {"reason": "1"},
        {"reason": "1", "confirmation": "ai đó"},
        {"reason": "2", "confirmation": "Trần Văn Minh"},
    ):
        assert post(oanh, path, path, **fields) == 422, fields
    assert "Đang dùng được" in page(oanh, f"/certificates/register/{certificate.id}")


def test_the_day_a_key_was_lost_is_neither_ahead_nor_before_the_certificate(city: Settings, sign_in: SignIn) -> None:
    certificate = issued_to("minh")
    oanh, path = sign_in("oanh"), f"/certificates/register/{certificate.id}/revoke"
    given = {"reason": "1", "confirmation": "Trần Văn Minh"}
    for day in ("2099-01-01T08:00", "2020-01-01T08:00", "hôm qua"):
        assert post(oanh, path, path, invalidity_date=day, **given) == 422, day
    assert "Đang dùng được" in page(oanh, f"/certificates/register/{certificate.id}")
    lost = datetime.now(UTC).astimezone(CITY_ZONE).strftime("%Y-%m-%dT%H:%M")
    assert post(oanh, path, path, invalidity_date=lost, **given) == 302
    assert "Khoá bị mất từ" in page(oanh, f"/certificates/register/{certificate.id}")


def test_looking_at_the_impact_again_revokes_nothing(city: Settings, sign_in: SignIn) -> None:
    certificate = issued_to("minh")
    oanh, path = sign_in("oanh"), f"/certificates/register/{certificate.id}/revoke"
    assert post(oanh, path, path, look="1", reason="1", confirmation="Trần Văn Minh") == 200
    assert "Đang dùng được" in page(oanh, f"/certificates/register/{certificate.id}")


def test_an_auditor_reads_the_register_and_changes_nothing(city: Settings, sign_in: SignIn) -> None:
    certificate = issued_to("minh")
    khoa, path = sign_in("khoa"), f"/certificates/register/{certificate.id}"
    assert f"{path}/revoke" not in page(khoa, path)
    assert khoa.get(f"{path}/revoke").status_code == 403
    fetched = khoa.get(f"{path}.cer")
    assert fetched.data == certificate.der
    assert fetched.mimetype == "application/pkix-cert"


def test_a_citizen_opens_neither_the_register_nor_the_requests(city: Settings, sign_in: SignIn) -> None:
    lan = sign_in("lan")
    assert lan.get("/certificates/register").status_code == 403
    assert lan.get("/certificates/requests").status_code == 403
