"""What was issued at its recipients: an agency's inbox with its receipt, and a link for somebody outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.core import db
from app.core.permissions import Role
from app.core.settings import Settings
from app.notices.models import Notice
from app.routes import dispatch
from app.routes.dispatch_models import Dispatch
from app.routes.models import Act, Route
from tests.factories import routes
from tests.factories.forms import csrf_token
from tests.factories.meetings import read_letter, run_jobs, text_of
from tests.factories.routes import Step

SignIn = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def people(city: Settings) -> None:
    routes.official("duyen", "Đỗ Thị Duyên", agency="H99.03", title="Văn thư", role=Role.CLERK)
    routes.official("kien", "Cao Trung Kiên", agency="H99.03")
    routes.official("la", "Vũ Thị La", agency="H99.04")


def issued(settings: Settings, *, outside: bool = False) -> UUID:
    """Issue a route that goes to ward H99.03, or to somebody outside, and return its only dispatch."""
    route_id = routes.drafted(settings, [Step(Act.SIGN, "hanh")], to=[] if outside else ["H99.03"])
    if outside:
        with db.transaction() as session:
            dispatch.add_address(session, session.get_one(Route, route_id), name="Công ty A", email="a@example.vn")
    routes.start(route_id)
    routes.sign(route_id, "hanh")
    routes.issue(route_id)
    run_jobs(settings)
    with db.transaction() as session:
        return session.scalars(select(Dispatch.id).where(Dispatch.route_id == route_id)).one()


def row(dispatch_id: UUID) -> Dispatch:
    with db.transaction() as session:
        return session.get_one(Dispatch, dispatch_id)


def post(client: FlaskClient, address: str, **data: object) -> TestResponse:
    return client.post(address, data={"csrf_token": csrf_token(client, "/routes/templates"), **data})


def link() -> str:
    """Return the path that the newest letter names."""
    with db.transaction() as session:
        notice = session.scalars(
            select(Notice).where(Notice.kind == "document_link").order_by(Notice.created_at.desc())
        ).first()
    assert notice is not None
    found = re.search(r"http://[^/\s]+(/doc/\S+)", text_of(read_letter(notice.mime)))
    assert found
    return found.group(1)


def test_nothing_is_in_the_inbox_before_it_is_issued(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [Step(Act.SIGN, "hanh")], to=["H99.03"])
    with db.transaction() as session:
        planned = session.scalars(select(Dispatch.id).where(Dispatch.route_id == route_id)).one()
    assert "Quyết định số 1" not in sign_in("duyen").get("/inbox").get_data(as_text=True)
    assert sign_in("duyen").get(f"/inbox/{planned}").status_code == 404


def test_the_receiving_agency_finds_it_and_its_clerk_is_told(city: Settings, sign_in: SignIn) -> None:
    dispatch_id = issued(city)
    client = sign_in("duyen")
    assert "Quyết định số 1" in client.get("/inbox?q=quyet dinh&state=new").get_data(as_text=True)
    assert "1 văn bản đến chưa xử lý" in client.get("/").get_data(as_text=True)
    with db.transaction() as session:
        recipients = session.scalars(select(Notice.recipient).where(Notice.title.startswith("Văn bản đến"))).all()
    assert "duyen@songbiec.example" in recipients
    document_id = row(dispatch_id).route.document_ids[0]
    assert client.get(f"/inbox/{dispatch_id}/documents/{document_id}").data.startswith(b"%PDF")


def test_the_sender_sees_who_opened_received_assigned_and_finished_it(city: Settings, sign_in: SignIn) -> None:
    dispatch_id = issued(city)
    clerk, official = sign_in("duyen"), sign_in("kien")
    clerk.get(f"/inbox/{dispatch_id}")
    clerk.get(f"/inbox/{dispatch_id}")
    for _ in range(2):
        assert post(clerk, f"/inbox/{dispatch_id}/receive").status_code == 302
    assert post(clerk, f"/inbox/{dispatch_id}/assign", person=routes.person_of("kien")).status_code == 302
    assert post(official, f"/inbox/{dispatch_id}/finish").status_code == 302
    kinds = [(event.kind, event.person.full_name if event.person else None) for event in row(dispatch_id).events]
    assert kinds == [
        ("sent", None),
        ("arrived", None),
        ("opened", "Đỗ Thị Duyên"),
        ("received", "Đỗ Thị Duyên"),
        ("assigned", "Đỗ Thị Duyên"),
        ("done", "Cao Trung Kiên"),
    ]
    shown = sign_in("minh").get(f"/routes/{row(dispatch_id).route_id}").get_data(as_text=True)
    assert "Cao Trung Kiên" in shown


def test_another_agency_finds_nothing_and_changes_nothing(city: Settings, sign_in: SignIn) -> None:
    dispatch_id = issued(city)
    found = row(dispatch_id)
    stranger = sign_in("la")
    for path in ("", f"/documents/{found.route.document_ids[0]}"):
        assert stranger.get(f"/inbox/{dispatch_id}{path}").status_code == 404
    for act in ("receive", "finish", "assign"):
        assert post(stranger, f"/inbox/{dispatch_id}/{act}", person=routes.person_of("la")).status_code == 404
    assert stranger.get(f"/documents/{found.route.document_ids[0]}").status_code == 404
    assert row(dispatch_id).state == found.state


def test_a_paper_is_assigned_only_to_an_official_of_the_agency(city: Settings, sign_in: SignIn) -> None:
    dispatch_id = issued(city)
    for person in (str(routes.person_of("la")), "x"):
        assert post(sign_in("duyen"), f"/inbox/{dispatch_id}/assign", person=person).status_code == 422
    assert row(dispatch_id).assignee_id is None


def test_officials_of_the_receiving_agency_can_open_the_document_itself(city: Settings, sign_in: SignIn) -> None:
    document_id = row(issued(city)).route.document_ids[0]
    assert sign_in("kien").get(f"/documents/{document_id}/download").status_code == 200


def test_the_inbox_is_exported_and_no_cell_begins_a_formula(city: Settings, sign_in: SignIn) -> None:
    dispatch_id = issued(city)
    with db.transaction() as session:
        session.execute(update(Route).where(Route.id == row(dispatch_id).route_id).values(title="=cmd()"))
    lines = sign_in("duyen").get("/inbox/inbox.csv").get_data().decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("'=cmd()")


def test_somebody_outside_opens_the_document_by_the_link_in_the_letter(city: Settings, client: FlaskClient) -> None:
    dispatch_id = issued(city, outside=True)
    page = client.get(link())
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    document_id = row(dispatch_id).route.document_ids[0]
    assert client.get(f"{link()}/documents/{document_id}").data.startswith(b"%PDF")
    client.head(link())
    client.get(link())
    opened = row(dispatch_id)
    assert (opened.openings, opened.state) == (2, "received")
    token = link().rsplit("/", 1)[1]
    assert opened.token_sha256 == dispatch.digest(token)


def test_a_link_that_ended_was_revoked_or_never_was_reads_the_same(
    city: Settings, client: FlaskClient, sign_in: SignIn
) -> None:
    dispatch_id = issued(city, outside=True)
    route_id, address = row(dispatch_id).route_id, link()
    document_id = row(dispatch_id).route.document_ids[0]
    act = f"/routes/{route_id}/recipients/{dispatch_id}"
    assert post(sign_in("hanh"), f"{act}/revoke").status_code == 404
    assert client.get(address).status_code == 200
    for _ in range(2):
        assert post(sign_in("minh"), f"{act}/revoke").status_code == 302
    for path in (address, f"{address}/documents/{document_id}", "/doc/nothing"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "không còn dùng được" in answer.get_data(as_text=True)
    assert post(sign_in("minh"), f"{act}/renew").status_code == 302
    run_jobs(city)
    assert link() != address
    assert (client.get(address).status_code, client.get(link()).status_code) == (404, 200)
    with db.transaction() as session:
        session.execute(update(Dispatch).values(expires_at=routes.now() - timedelta(seconds=1)))
    assert client.get(link()).status_code == 404


def test_a_link_shows_no_other_document(city: Settings, client: FlaskClient) -> None:
    issued(city, outside=True)
    other = routes.paper(city)
    assert client.get(f"{link()}/documents/{other}").status_code == 404


def test_whoever_tries_links_is_slowed_down(city: Settings, client: FlaskClient) -> None:
    statuses = {client.get(f"/doc/{number}").status_code for number in range(70)}
    assert statuses == {404, 429}
