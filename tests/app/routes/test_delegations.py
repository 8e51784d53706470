"""Turns that come to somebody else: a deputy while one is away, and whoever holds the post that a step names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import local
from app.core.permissions import Role, house
from app.core.settings import Settings
from app.registry import service as registry
from app.routes import delegations
from app.routes.delegations import Handing
from app.routes.models import Act, Delegation, RouteState
from tests.factories import routes
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.routes import Step

SignIn = Callable[[str], FlaskClient]
HEAD = Step(Act.SIGN, "hanh")


@pytest.fixture(autouse=True)
def people(city: Settings) -> None:
    routes.official("quang", "Lý Văn Quang", title="Trưởng phòng")
    routes.official("tuyet", "Mai Thị Tuyết", agency="H99.01", title="Phó Chánh Văn phòng")


def today() -> date:
    return local(routes.now()).date()


def hand_over(absent: str, deputy: str, *acts: Act, first: int = 0, last: int = 3, by: str | None = None) -> Delegation:
    """Let `absent` hand acts over from one day to another, counted from today."""
    handing = Handing(
        routes.person_of(deputy),
        today() + timedelta(days=first),
        today() + timedelta(days=last),
        frozenset(acts or (Act.SIGN,)),
        "Đi công tác",
    )
    with db.transaction() as session:
        return delegations.hand_over(session, actor(by or absent), routes.person_of(absent), handing, now=routes.now())


def test_a_deputy_signs_and_the_route_says_for_whom(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    assert routes.turn(route_id, "tuyet") is None
    hand_over("hanh", "tuyet")
    mine = routes.turn(route_id, "tuyet")
    assert mine is not None
    assert mine.on_behalf_of == "Lê Thị Mỹ Hạnh"
    routes.sign(route_id, "tuyet")
    step = routes.route(route_id).steps[0]
    assert (step.done_by, step.on_behalf_of_id) == (routes.person_of("tuyet"), routes.person_of("hanh"))


def test_who_handed_over_can_still_act_and_the_first_of_the_two_counts(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    hand_over("hanh", "tuyet")
    routes.sign(route_id, "hanh")
    assert routes.turn(route_id, "tuyet") is None
    assert routes.route(route_id).state == RouteState.SIGNED


def test_it_runs_from_the_first_days_beginning_to_the_last_days_end(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    made = hand_over("hanh", "tuyet", first=2, last=4)
    second = timedelta(seconds=1)
    expected = [
        (made.first_day - second, False),
        (made.first_day, True),
        (made.last_day - second, True),
        (made.last_day, False),
    ]
    assert [(moment, routes.turn(route_id, "tuyet", at=moment) is not None) for moment, _ in expected] == expected
    assert local(made.through).date() == today() + timedelta(days=4)


def test_only_what_was_handed_over_comes_to_the_deputy(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    hand_over("hanh", "tuyet", Act.INITIAL, Act.FORMAT)
    assert routes.turn(route_id, "tuyet") is None


def test_what_was_handed_over_is_not_handed_on(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    hand_over("hanh", "tuyet")
    hand_over("tuyet", "quang")
    assert routes.turn(route_id, "quang") is None


def test_taking_it_back_ends_it_at_once_and_twice_changes_nothing(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    made = hand_over("hanh", "tuyet")
    kept = routes.turn(route_id, "tuyet")
    for _ in range(2):
        with db.transaction() as session:
            delegations.take_back(session, actor("hanh"), made.id, now=routes.now())
    assert routes.turn(route_id, "tuyet") is None
    with pytest.raises(Conflict):
        routes.sign_paper(routes.route(route_id).document_ids[0], "tuyet", turn=kept)


def test_asking_the_same_twice_keeps_one(city: Settings) -> None:
    assert hand_over("hanh", "tuyet").id == hand_over("hanh", "tuyet").id


def test_an_administrator_hands_over_for_their_people_and_nobody_else_does(city: Settings) -> None:
    assert hand_over("hanh", "tuyet", by="oanh").made_by == actor("oanh").account_id
    with pytest.raises(NotFound):
        hand_over("hanh", "tuyet", by="quang", last=9)


def test_an_administrator_of_another_agency_does_not_find_the_person(city: Settings) -> None:
    routes.official("son", "Hồ Thanh Sơn", agency="H99.03", title="Quản trị viên", role=Role.ADMINISTRATOR)
    with pytest.raises(NotFound):
        hand_over("hanh", "tuyet", by="son")


@pytest.mark.parametrize(
    ("deputy", "first", "last"), [("hanh", 0, 1), ("thu", 0, 1), ("tuyet", 2, 1), ("tuyet", -3, -1), ("tuyet", 0, 400)]
)
def test_days_or_deputies_that_do_not_fit_are_refused(city: Settings, deputy: str, first: int, last: int) -> None:
    with pytest.raises(Invalid):
        hand_over("hanh", deputy, first=first, last=last)


def test_a_deputy_with_another_duty_on_the_route_is_told_to_find_somebody_else(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), HEAD])
    routes.sign(route_id, "quang")
    hand_over("hanh", "quang")
    with pytest.raises(Conflict, match="another role"):
        routes.sign(route_id, "quang")


def test_a_drafter_who_stands_in_for_the_only_head_does_not_sign(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    hand_over("hanh", "minh")
    with pytest.raises(Conflict, match="another head"):
        routes.sign(route_id, "minh")


def test_a_step_by_post_comes_to_whoever_holds_the_post_now(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.SIGN, "hanh", by_post=True)])
    assert routes.turn(route_id, "hanh") is not None
    with db.transaction() as session:
        post = registry.person(session, routes.person_of("hanh")).current_post
        assert post is not None
        registry.end_post(session, post, actor=house("test"), now=routes.now())
        successor = registry.person(session, routes.person_of("tuyet"))
        registry.appoint(session, successor, post.agency, title="Chánh Văn phòng", actor=house("test"))
    assert routes.turn(route_id, "hanh") is None
    assert routes.turn(route_id, "tuyet") is not None


def test_the_page_hands_over_and_takes_back(city: Settings, sign_in: SignIn) -> None:
    client, page = sign_in("hanh"), f"/deputies/{routes.person_of('hanh')}/new?q=tuyet"
    form = {
        "csrf_token": csrf_token(client, page),
        "deputy": str(routes.person_of("tuyet")),
        "acts": ["sign", "initial"],
        "first": today().isoformat(),
        "last": (today() + timedelta(days=2)).isoformat(),
        "reason": "Nghỉ phép",
    }
    assert client.post(page, data={**form, "last": "2020-01-01"}).status_code == 422
    assert client.post(page, data=form).status_code == 302
    shown = client.get("/deputies").get_data(as_text=True)
    assert "Mai Thị Tuyết" in shown
    assert "Nghỉ phép" in shown
    with db.transaction() as session:
        made = delegations.shown_to(session, actor("hanh"), now=routes.now())[0]
    stranger = sign_in("quang")
    token = csrf_token(stranger, "/routes/templates")
    assert stranger.post(f"/deputies/{made.id}/end", data={"csrf_token": token}).status_code == 404
    assert client.post(f"/deputies/{made.id}/end", data={"csrf_token": form["csrf_token"]}).status_code == 302
    assert "Mai Thị Tuyết" not in client.get("/deputies").get_data(as_text=True)


def test_a_citizen_does_not_open_the_page(sign_in: SignIn) -> None:
    assert sign_in("lan").get("/deputies").status_code == 403


def test_another_persons_turns_are_not_found_on_the_page(city: Settings, sign_in: SignIn) -> None:
    assert sign_in("quang").get(f"/deputies/{routes.person_of('hanh')}/new").status_code == 404
