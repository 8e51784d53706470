"""The pages of routes: composed without script, acted on, and closed to those whom they do not concern."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.settings import Settings
from app.routes.models import Act, RouteState
from tests.factories import routes
from tests.factories.forms import csrf_token
from tests.factories.routes import Step

SignIn = Callable[[str], FlaskClient]
HEAD = Step(Act.SIGN, "hanh")


@pytest.fixture(autouse=True)
def people(city: Settings) -> None:
    routes.official("quang", "Lý Văn Quang", title="Trưởng phòng")


def post(client: FlaskClient, address: str, page: str, **data: object) -> TestResponse:
    """Send a form of the page."""
    return client.post(address, data={"csrf_token": csrf_token(client, page), **data})


def test_a_route_is_composed_and_started_by_forms_alone(city: Settings, sign_in: SignIn) -> None:
    client, document_id = sign_in("minh"), routes.paper(city, title="Tờ trình kinh phí")
    answer = post(client, "/routes/new", "/routes/new", document=document_id, template="")
    compose = answer.location
    route_id = UUID(compose.split("/")[2])
    for name, act, means in (("quang", "initial", "person"), ("hanh", "sign", "post")):
        form = {"who": routes.post_of(name), "act": act, "means": means, "days": "2"}
        assert post(client, f"/routes/{route_id}/steps", compose, **form).status_code == 302
    assert post(client, f"/routes/{route_id}/agencies", compose, agency=routes.agency_of("H99.01")).status_code == 302
    outside = {"name": "Công ty A", "email": "a@example.vn"}
    assert post(client, f"/routes/{route_id}/addresses", compose, **outside).status_code == 302
    page = client.get(compose).get_data(as_text=True)
    assert "Lý Văn Quang" in page
    assert "Chánh Văn phòng" in page
    version = routes.route(route_id).version
    assert post(client, f"/routes/{route_id}/start", compose, version=version).status_code == 302
    started = routes.route(route_id)
    assert started.state == RouteState.RUNNING
    assert [step.person_id is None for step in started.steps] == [False, True]


def test_who_has_a_turn_finds_it_on_the_board_and_on_the_home_page(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [HEAD])
    board = sign_in("hanh").get("/routes").get_data(as_text=True)
    assert "Quyết định số 1" in board
    assert "1 văn bản chờ đến lượt bạn xử lý" in sign_in("hanh").get("/").get_data(as_text=True)
    page = sign_in("hanh").get(f"/routes/{route_id}").get_data(as_text=True)
    assert f"/documents/{routes.route(route_id).document_ids[0]}/sign" in page


def test_the_drafter_sees_whose_turn_it_is(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), HEAD])
    routes.sign(route_id, "quang")
    page = sign_in("minh").get(f"/routes/{route_id}").get_data(as_text=True)
    assert "Lê Thị Mỹ Hạnh" in page
    assert page.index("Lý Văn Quang") < page.rindex("Lê Thị Mỹ Hạnh")


def test_declining_needs_a_reason_and_brings_it_to_the_drafter(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [HEAD])
    client, page = sign_in("hanh"), f"/routes/{route_id}/decline"
    version = routes.route(route_id).version
    assert post(client, page, page, version=version, reason=" ").status_code == 422
    assert post(client, page, page, version=version, reason="Thiếu căn cứ pháp lý").status_code == 302
    assert "Thiếu căn cứ pháp lý" in sign_in("minh").get(f"/routes/{route_id}").get_data(as_text=True)


def test_the_second_of_two_tabs_is_told_and_changes_nothing(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [HEAD])
    client, page = sign_in("minh"), f"/routes/{route_id}/withdraw"
    version = routes.route(route_id).version
    routes.decline(route_id, "hanh")
    answer = post(client, page, page, version=version, reason="")
    assert answer.status_code == 409
    assert routes.route(route_id).state == RouteState.DECLINED


def test_starting_twice_starts_once(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.drafted(city, [HEAD])
    client, compose = sign_in("minh"), f"/routes/{route_id}/compose"
    token, version = csrf_token(client, compose), routes.route(route_id).version
    for _ in range(2):
        answer = client.post(f"/routes/{route_id}/start", data={"csrf_token": token, "version": version})
        assert answer.status_code == 302
    assert routes.route(route_id).state == RouteState.RUNNING


def test_a_draft_that_lacks_a_head_does_not_start_and_says_why(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.drafted(city, [Step(Act.INITIAL, "quang")])
    client, compose = sign_in("minh"), f"/routes/{route_id}/compose"
    version = routes.route(route_id).version
    answer = post(client, f"/routes/{route_id}/start", compose, version=version)
    assert answer.status_code == 422
    assert routes.route(route_id).state == RouteState.DRAFT


@pytest.mark.parametrize("path", ["", "/compose", "/decline", "/withdraw", "/replace"])
def test_another_agencys_route_is_not_found(city: Settings, sign_in: SignIn, path: str) -> None:
    routes.official("la", "Vũ Thị La", agency="H99.03")
    route_id = routes.drafted(city, [HEAD])
    if path != "/compose":
        routes.start(route_id)
    assert sign_in("la").get(f"/routes/{route_id}{path}").status_code == 404


def test_no_act_on_another_agencys_route_changes_it(city: Settings, sign_in: SignIn) -> None:
    routes.official("la", "Vũ Thị La", agency="H99.03")
    route_id = routes.running(city, [Step(Act.FORMAT, "thu"), HEAD])
    step_id, before = routes.route(route_id).steps[0].id, routes.route(route_id).version
    client = sign_in("la")
    for act in ("start", "resume", "template", "discard", f"steps/{step_id}/checked", "decline", "withdraw", "replace"):
        data = {"version": before, "reason": "x", "name": "x"}
        assert post(client, f"/routes/{route_id}/{act}", "/routes/templates", **data).status_code == 404, act
    assert routes.route(route_id).version == before


def test_a_draft_is_seen_by_its_drafter_alone(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.drafted(city, [HEAD])
    assert sign_in("quang").get(f"/routes/{route_id}").status_code == 404
    assert sign_in("quang").get(f"/routes/{route_id}/compose").status_code == 404
    assert "Quyết định số 1" not in sign_in("hanh").get("/routes").get_data(as_text=True)


def test_who_takes_part_can_open_the_papers_and_others_cannot(city: Settings, sign_in: SignIn) -> None:
    routes.official("la", "Vũ Thị La", agency="H99.03")
    route_id = routes.running(city, [HEAD])
    document_id = routes.route(route_id).document_ids[0]
    for address in (f"/routes/{route_id}/documents/{document_id}", f"/documents/{document_id}/download"):
        assert sign_in("hanh").get(address).status_code == 200
        assert sign_in("la").get(address).status_code == 404


def test_the_list_is_filtered_and_exported(city: Settings, sign_in: SignIn) -> None:
    routes.running(city, [HEAD])
    routes.drafted(city, [HEAD])
    client = sign_in("minh")
    listed = client.get("/routes?q=quyet dinh&state=running").get_data(as_text=True)
    assert len(re.findall(r'<th[^>]*scope="row"', listed)) == 1
    exported = client.get("/routes/routes.csv?state=running").get_data().decode("utf-8-sig").splitlines()
    assert len(exported) == 2
    assert "Lê Thị Mỹ Hạnh" in exported[1]


def test_a_template_made_from_a_route_gives_its_steps_to_the_next(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang", days=3), HEAD], to=["H99.01"])
    client = sign_in("minh")
    page = f"/routes/{route_id}"
    assert post(client, f"{page}/template", page, name="Quyết định của Sở").status_code == 302
    found = re.search(r'href="/routes/([0-9a-f-]{36})/compose">Quyết định của Sở', client.get("/routes/templates").text)
    assert found
    document_id = routes.paper(city, title="Quyết định khác")
    answer = post(client, "/routes/new", "/routes/new", document=document_id, template=found.group(1))
    made = routes.route(UUID(answer.location.split("/")[2]))
    assert [(step.act, step.days) for step in made.steps] == [("initial", 3), ("sign", None)]


def test_replacing_begins_a_route_at_the_first_step_and_the_old_one_says_so(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), HEAD], papers=2)
    routes.sign(route_id, "quang")
    old_main, old_attachment = routes.route(route_id).document_ids
    successor = routes.paper(city, title="Quyết định sửa")
    client, page = sign_in("minh"), f"/routes/{route_id}/replace"
    version = routes.route(route_id).version
    form = {"version": version, f"paper-{old_main}": successor, f"paper-{old_attachment}": ""}
    first = post(client, page, page, **form)
    assert post(client, page, f"/routes/{route_id}", **form).location == first.location
    new = routes.route(UUID(first.location.split("/")[2]))
    assert new.document_ids[0] == successor
    assert new.papers[1].document.replaces_id == old_attachment
    assert new.papers[1].document.newest.signatures == 0
    assert [step.state for step in new.steps] == ["waiting", "waiting"]
    old = routes.route(route_id)
    assert old.state == RouteState.REPLACED
    assert all(paper.document.withdrawn_at for paper in old.papers)
    assert f"/routes/{new.id}" in client.get(f"/routes/{route_id}").get_data(as_text=True)


def test_steps_are_moved_joined_and_taken_out(city: Settings, sign_in: SignIn) -> None:
    routes.official("tuyet", "Mai Thị Tuyết")
    route_id = routes.drafted(city, [Step(Act.INITIAL, "quang"), Step(Act.INITIAL, "tuyet"), HEAD])
    client, compose = sign_in("minh"), f"/routes/{route_id}/compose"

    def act(number: int, what: str) -> list[tuple[int, str]]:
        step = routes.route(route_id).steps[number - 1]
        assert post(client, f"/routes/{route_id}/steps/{step.id}/{what}", compose).status_code == 302
        shown = routes.route(route_id)
        return [(one.position, one.person.full_name.split()[-1]) for one in shown.steps if one.person]

    assert act(2, "join") == [(1, "Quang"), (1, "Tuyết"), (2, "Hạnh")]
    assert act(2, "up") == [(1, "Tuyết"), (2, "Quang"), (3, "Hạnh")]
    assert act(1, "down") == [(1, "Quang"), (2, "Tuyết"), (3, "Hạnh")]
    assert act(1, "remove") == [(1, "Tuyết"), (2, "Hạnh")]


def test_nonsense_in_the_forms_of_composing_is_refused_with_a_sentence(city: Settings, sign_in: SignIn) -> None:
    route_id = routes.drafted(city, [HEAD])
    client, compose = sign_in("minh"), f"/routes/{route_id}/compose"
    before = routes.route(route_id).version
    tries: list[tuple[str, dict[str, object]]] = [
        ("steps", {"who": "x", "act": "sign", "means": "person"}),
        ("steps", {"who": routes.post_of("bao"), "act": "sign", "means": "person"}),
        ("steps", {"who": routes.post_of("quang"), "act": "sign", "means": "person", "days": "400"}),
        ("steps", {"who": routes.post_of("quang"), "act": "issue", "means": "person"}),
        ("agencies", {"agency": "x"}),
        ("addresses", {"name": "A", "email": "not an address"}),
        ("documents", {"document": ""}),
    ]
    for path, data in tries:
        assert post(client, f"/routes/{route_id}/{path}", compose, **data).status_code == 422, data
    assert routes.route(route_id).version == before


def test_a_document_leads_to_its_route_and_says_when_it_was_withdrawn(city: Settings, sign_in: SignIn) -> None:
    client, free = sign_in("minh"), routes.paper(city)
    assert client.get(f"/routes/of/{free}").location == f"/routes/new?document={free}"
    route_id = routes.running(city, [HEAD])
    document_id = routes.route(route_id).document_ids[0]
    assert client.get(f"/routes/of/{document_id}").location == f"/routes/{route_id}"
    page = f"/routes/{route_id}/withdraw"
    post(client, page, page, version=routes.route(route_id).version, reason="")
    assert "Không ai ký nữa" in client.get(f"/documents/{document_id}").get_data(as_text=True)
