"""The clerk's pages and the books: issuing by forms alone, what is read there, and whom it is closed to."""

from __future__ import annotations

import io
from collections.abc import Callable
from uuid import UUID

from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import db
from app.core.permissions import Role
from app.core.settings import Settings
from app.records import tasks
from app.records.models import Entry, EntryState, IssueRequest, RequestState
from pki.keys import SoftwareKey
from tests.factories import records, routes
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def post(client: FlaskClient, address: str, **data: object) -> TestResponse:
    return client.post(address, data={"csrf_token": csrf_token(client, address), **data})


def issue_form(route_id: UUID, **changes: object) -> dict[str, object]:
    wanted = records.wish(route_id)
    return {
        "version": wanted.route_version,
        "kind": wanted.kind,
        "issued_on": wanted.issued_on.isoformat(),
        "symbol": wanted.symbol,
        "corner": "bottom_left",
        "password": records.PASSWORD,
        **changes,
    }


def a_book(city: Settings) -> tuple[str, Entry]:
    """Keep a number, and return the address of the book that it stands in."""
    entry = records.reserved(subject="Kế hoạch diễn tập phòng thủ")
    return f"/books/{routes.agency_of('H99.02')}/{entry.issued_on.year}", entry


def test_a_clerk_issues_by_forms_alone_and_follows_it_to_the_number(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    route_id, client = records.signed_route(city, head), sign_in("thu")
    assert "Quyết định số 1" in client.get("/records").get_data(as_text=True)
    page = client.get(f"/records/issue/{route_id}").get_data(as_text=True)
    assert "01/QĐ-SKHCN" in page
    assert "Lãnh đạo đã ký, hợp lệ" in page
    answer = post(client, f"/records/issue/{route_id}", **issue_form(route_id))
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert "Đang lấy số" in client.get(answer.location).get_data(as_text=True)
    tasks.issue.func(answer.location.rsplit("/", 1)[1])
    assert "01/QĐ-SKHCN" in client.get(answer.location).get_data(as_text=True)
    seal_page = client.get(f"/seals/{routes.agency_of('H99.02')}").get_data(as_text=True)
    assert "01/QĐ-SKHCN" in seal_page
    lines = client.get(f"/seals/{routes.agency_of('H99.02')}/uses.csv").get_data(as_text=True).splitlines()
    assert len(lines) == 2


def test_a_wrong_password_is_said_beside_its_field_and_five_tries_are_all(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    route_id, client = records.signed_route(city, head), sign_in("thu")
    for _ in range(5):
        answer = post(client, f"/records/issue/{route_id}", **issue_form(route_id, password="khong dung"))
        assert answer.status_code == 422
        assert "Mật khẩu không đúng" in answer.get_data(as_text=True)
    assert post(client, f"/records/issue/{route_id}", **issue_form(route_id)).status_code == 429
    with db.transaction() as session:
        assert session.scalar(select(IssueRequest.id)) is None


def test_a_symbol_that_is_none_is_answered_beside_its_field(city: Settings, head: SoftwareKey, sign_in: SignIn) -> None:
    route_id, client = records.signed_route(city, head), sign_in("thu")
    answer = post(client, f"/records/issue/{route_id}", **issue_form(route_id, symbol="QĐ//x"))
    assert answer.status_code == 422
    assert "Ký hiệu gồm chữ và số" in answer.get_data(as_text=True)


def test_a_refused_order_says_why_and_that_no_number_was_used(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    made = records.order(city, records.signed_route(city, head))
    assert made is not None
    with db.transaction() as session:
        order = session.get_one(IssueRequest, made.id)
        order.state, order.fault = RequestState.REFUSED, "no_seal"
    page = sign_in("thu").get(f"/records/orders/{made.id}").get_data(as_text=True)
    assert "Cơ quan chưa có dấu hợp lệ" in page
    assert "Không số nào bị dùng" in page


def test_officials_do_not_issue_and_other_agencies_find_nothing(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    route_id = records.signed_route(city, head)
    assert sign_in("minh").get(f"/records/issue/{route_id}").status_code == 403
    routes.official("van", "Đỗ Thị Vân", agency="H99.03", title="Văn thư", role=Role.CLERK)
    stranger = sign_in("van")
    assert stranger.get(f"/records/issue/{route_id}").status_code == 404
    address, entry = a_book(city)
    assert stranger.get(address).status_code == 404
    assert stranger.get(f"/books/entries/{entry.id}/explain").status_code == 404
    assert stranger.get(f"/seals/{routes.agency_of('H99.02')}").status_code == 404


def test_a_kept_number_is_found_without_marks_printed_and_downloaded(city: Settings, sign_in: SignIn) -> None:
    address, entry = a_book(city)
    client = sign_in("thu")
    assert entry.label in client.get(f"{address}?q=dien tap").get_data(as_text=True)
    assert entry.label not in client.get(f"{address}?q=khac").get_data(as_text=True).split("<table")[0]
    assert entry.label in client.get(f"{address}/print").get_data(as_text=True)
    assert entry.label in client.get(f"{address}.csv").get_data(as_text=True)
    sheet = load_workbook(io.BytesIO(client.get(f"{address}.xlsx").get_data())).active
    assert sheet is not None
    assert [sheet["A2"].value, sheet["D2"].value] == [entry.label, entry.subject]
    assert "H99" not in client.get("/books").get_data(as_text=True).split("<main")[0]


def test_a_number_is_kept_and_given_up_by_forms_and_stays_in_the_book(city: Settings, sign_in: SignIn) -> None:
    client, agency_id = sign_in("thu"), routes.agency_of("H99.02")
    answer = post(client, f"/books/{agency_id}/reserve", kind="KH", subject="Kế hoạch mật", recipients="")
    assert answer.status_code == 302
    with db.transaction() as session:
        entry = session.scalars(select(Entry)).unique().one()
    assert post(client, f"/books/entries/{entry.id}/explain", explanation="").status_code == 422
    assert post(client, f"/books/entries/{entry.id}/explain", explanation="Ghi nhầm loại").status_code == 302
    page = client.get(answer.location).get_data(as_text=True)
    assert "Ghi nhầm loại" in page
    with db.transaction() as session:
        assert session.get_one(Entry, entry.id).state == EntryState.UNUSED


def test_a_symbol_is_chosen_and_stands_behind_the_next_number(city: Settings, sign_in: SignIn) -> None:
    client, agency_id = sign_in("thu"), routes.agency_of("H99.02")
    assert post(client, f"/books/{agency_id}/symbols", kind="KH", symbol="KH-SKHCN.VP").status_code == 302
    assert post(client, f"/books/{agency_id}/symbols", kind="KH", symbol="a/b").status_code in (302, 422)
    assert records.reserved().label == "01/KH-SKHCN.VP"


def test_an_administrator_sees_every_seal_and_asks_for_one_only_where_none_is(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("oanh")
    page = client.get("/seals").get_data(as_text=True)
    assert "Sở Khoa học và Công nghệ" in page
    agency = f"/seals/{routes.agency_of('H99.02')}"
    token = csrf_token(client, agency)
    assert client.post(f"{agency}/ask", data={"csrf_token": token}).status_code == 409
