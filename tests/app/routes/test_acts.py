"""The acts on a route: in order, in parallel, by separate people, and what the loser of a race is told."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.settings import Settings
from app.documents.models import Document
from app.routes import service
from app.routes.models import Act, RouteState, StepState
from tests.factories import routes
from tests.factories.certificates import actor
from tests.factories.routes import Step

HEAD = Step(Act.SIGN, "hanh")


@pytest.fixture(autouse=True)
def people(city: Settings) -> None:
    routes.official("quang", "Lý Văn Quang", title="Trưởng phòng")
    routes.official("tuyet", "Mai Thị Tuyết", title="Phó Trưởng phòng")


def test_a_route_goes_from_step_to_step_until_it_waits_for_its_number(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), Step(Act.FORMAT, "thu"), HEAD])
    assert routes.turn(route_id, "hanh") is None
    routes.sign(route_id, "quang")
    routes.check_format(route_id, "thu")
    mine = routes.turn(route_id, "hanh")
    assert mine is not None
    assert (mine.act, mine.field_name) == (Act.SIGN, "ky_lanhdao_1")
    routes.sign(route_id, "hanh")
    assert routes.route(route_id).state == RouteState.SIGNED


def test_those_of_one_group_act_in_any_order_and_all_of_them_must(city: Settings) -> None:
    steps = [Step(Act.INITIAL, "quang"), Step(Act.INITIAL, "tuyet", beside=True), HEAD]
    route_id = routes.running(city, steps)
    second, first = routes.turn(route_id, "tuyet"), routes.turn(route_id, "quang")
    assert first is not None
    assert second is not None
    assert [first.field_name, second.field_name] == ["ky_nhay_1", "ky_nhay_2"]
    routes.sign(route_id, "tuyet")
    assert routes.turn(route_id, "hanh") is None
    routes.sign(route_id, "quang")
    assert routes.turn(route_id, "hanh") is not None


def test_an_envelope_goes_on_when_every_paper_of_it_is_signed(city: Settings) -> None:
    route_id = routes.running(city, [HEAD], papers=3)
    first, second, third = routes.route(route_id).document_ids
    routes.sign_paper(second, "hanh")
    routes.sign_paper(first, "hanh")
    assert routes.turn(route_id, "hanh") is None
    assert routes.route(route_id).state == RouteState.RUNNING
    routes.sign_paper(third, "hanh")
    assert routes.route(route_id).state == RouteState.SIGNED


def test_one_turn_is_taken_once_and_the_second_try_leaves_no_version(city: Settings) -> None:
    route_id = routes.running(city, [HEAD], papers=2)
    first = routes.route(route_id).document_ids[0]
    kept = routes.turn(route_id, "hanh")
    routes.sign_paper(first, "hanh")
    with pytest.raises(Conflict):
        routes.sign_paper(first, "hanh", turn=kept)
    with db.transaction() as session:
        assert session.get_one(Document, first).newest.number == 2


def test_a_signature_that_comes_after_a_decline_is_refused_whole(city: Settings) -> None:
    steps = [Step(Act.INITIAL, "quang"), Step(Act.INITIAL, "tuyet", beside=True), HEAD]
    route_id = routes.running(city, steps)
    kept = routes.turn(route_id, "quang")
    routes.decline(route_id, "tuyet")
    document_id = routes.route(route_id).document_ids[0]
    with pytest.raises(Conflict):
        routes.sign_paper(document_id, "quang", turn=kept)
    with db.transaction() as session:
        assert session.get_one(Document, document_id).newest.number == 1


def test_who_acts_on_a_page_that_is_old_is_told_and_changes_nothing(city: Settings) -> None:
    steps = [Step(Act.INITIAL, "quang"), Step(Act.INITIAL, "tuyet", beside=True), HEAD]
    route_id = routes.running(city, steps)
    seen = routes.route(route_id).version
    routes.sign(route_id, "quang")
    with pytest.raises(Conflict):
        routes.decline(route_id, "tuyet", version=seen)
    assert routes.route(route_id).state == RouteState.RUNNING


def test_declining_twice_from_one_page_is_one_act(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    seen = routes.route(route_id).version
    routes.decline(route_id, "hanh", reason="Thiếu căn cứ", version=seen)
    routes.decline(route_id, "hanh", reason="Thiếu căn cứ", version=seen)
    declined = routes.route(route_id)
    assert (declined.state, declined.reason, declined.version) == (RouteState.DECLINED, "Thiếu căn cứ", seen + 1)


def test_a_declined_route_goes_back_to_who_declined_it(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), HEAD])
    routes.sign(route_id, "quang")
    routes.decline(route_id, "hanh")
    with db.transaction() as session:
        version = routes.route(route_id).version
        service.resume(session, actor("minh"), route_id, route_version=version, now=routes.now())
    assert routes.turn(route_id, "quang") is None
    assert routes.turn(route_id, "hanh") is not None


def test_a_clerk_may_send_back_what_waits_for_its_number(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    routes.sign(route_id, "hanh")
    routes.decline(route_id, "thu", reason="Sai thể thức")
    assert routes.route(route_id).state == RouteState.DECLINED
    with db.transaction() as session:
        version = routes.route(route_id).version
        service.resume(session, actor("minh"), route_id, route_version=version, now=routes.now())
    assert routes.route(route_id).state == RouteState.SIGNED


def test_a_route_that_is_withdrawn_gives_nobody_a_turn_and_its_papers_say_so(city: Settings) -> None:
    route_id = routes.running(city, [HEAD], papers=2)
    seen = routes.route(route_id).version
    for _ in range(2):
        with db.transaction() as session:
            service.withdraw(session, actor("minh"), route_id, reason="", route_version=seen, now=routes.now())
    withdrawn = routes.route(route_id)
    assert withdrawn.state == RouteState.WITHDRAWN
    assert all(paper.document.withdrawn_at is not None for paper in withdrawn.papers)
    assert routes.turn(route_id, "hanh") is None


def test_only_the_drafter_withdraws(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    with pytest.raises(Conflict), db.transaction() as session:
        service.withdraw(session, actor("hanh"), route_id, reason="", route_version=2, now=routes.now())


def test_a_drafter_does_not_sign_as_the_only_head(city: Settings) -> None:
    with pytest.raises(Invalid, match="only one who signs"):
        routes.running(city, [Step(Act.SIGN, "minh")])


def test_a_drafter_signs_as_head_only_beside_another(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.SIGN, "minh"), HEAD])
    routes.sign(route_id, "minh")
    routes.sign(route_id, "hanh")
    assert routes.route(route_id).state == RouteState.SIGNED


def test_the_database_refuses_a_route_that_its_drafter_alone_signed(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.SIGN, "minh"), HEAD])
    routes.sign(route_id, "minh")
    for statement in (
        "UPDATE route_step SET state = 'done' WHERE route_id = :route",
        "UPDATE route SET state = 'signed' WHERE id = :route",
    ):
        with db.transaction() as session:
            if "route_step" in statement:
                session.execute(text(statement), {"route": route_id})
                continue
            with pytest.raises(ProgrammingError, match="not by its drafter alone"):
                session.execute(text(statement), {"route": route_id})
            session.rollback()


def test_one_person_does_one_kind_of_act_on_a_route(city: Settings) -> None:
    with pytest.raises(Invalid, match="two kinds of act"):
        routes.running(city, [Step(Act.INITIAL, "hanh"), HEAD])


def test_who_checked_the_form_does_not_number_and_seal(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.FORMAT, "thu"), HEAD])
    routes.check_format(route_id, "thu")
    routes.sign(route_id, "hanh")
    with pytest.raises(Conflict, match="another part"):
        routes.issue(route_id, "thu")


def test_a_clerk_of_another_agency_finds_nothing_to_number(city: Settings) -> None:
    from app.core.permissions import Role

    routes.official("duyen", "Đỗ Thị Duyên", agency="H99.03", title="Văn thư", role=Role.CLERK)
    route_id = routes.running(city, [HEAD])
    routes.sign(route_id, "hanh")
    with pytest.raises(NotFound):
        routes.issue(route_id, "duyen")
    with db.transaction() as session:
        assert [one.id for one in service.awaiting_issue(session, actor("thu"))] == [route_id]
        assert service.awaiting_issue(session, actor("duyen")) == []


def test_what_is_issued_is_issued_once_with_every_paper(city: Settings) -> None:
    route_id = routes.running(city, [HEAD], papers=2)
    routes.sign(route_id, "hanh")
    routes.issue(route_id)
    issued = routes.route(route_id)
    assert issued.state == RouteState.ISSUED
    assert all(paper.issued_version_id == paper.document.newest.id for paper in issued.papers)
    with pytest.raises(Conflict):
        routes.issue(route_id)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE route_act SET duty = 'issue'", "DELETE FROM route_act", "UPDATE route_duty SET duty = 'issue'"],
)
def test_what_was_done_is_not_rewritten(city: Settings, statement: str) -> None:
    route_id = routes.running(city, [HEAD])
    routes.sign(route_id, "hanh")
    with pytest.raises(ProgrammingError, match="only ever added"), db.transaction() as session:
        session.execute(text(statement))


def test_a_head_before_initials_is_refused(city: Settings) -> None:
    with pytest.raises(Invalid, match="come before"):
        routes.running(city, [HEAD, Step(Act.INITIAL, "quang")])


def test_a_paper_on_a_route_is_not_signed_freely(city: Settings) -> None:
    route_id = routes.drafted(city, [HEAD])
    with db.transaction() as session:
        assert not service.may_sign_freely(session, routes.route(route_id).document_ids[0])
        assert service.may_sign_freely(session, routes.paper(city))


def test_starters_make_the_fields_before_the_first_turn(city: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_starters", [])
    seen: list[list[tuple[str, str | None, str | None]]] = []

    def starter(_session: object, _actor: object, route: object, _now: object) -> None:
        fields = service.planned_fields(route)  # type: ignore[arg-type]  # the test's own Protocol would say less
        seen.append([(one.name, one.person, one.post) for one in fields])

    for _ in range(2):
        service.register_starter(starter)
    routes.running(city, [Step(Act.INITIAL, "quang"), Step(Act.SIGN, "hanh", by_post=True)])
    assert seen == [
        [("ky_nhay_1", "Lý Văn Quang", "Trưởng phòng"), ("ky_lanhdao_1", "Lê Thị Mỹ Hạnh", "Chánh Văn phòng")]
    ]


def test_each_step_says_who_did_it(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), HEAD])
    routes.sign(route_id, "quang")
    first, second = routes.route(route_id).steps
    assert (first.state, first.done_by) == (StepState.DONE, routes.person_of("quang"))
    assert (second.state, second.done_by) == (StepState.OPEN, None)


def test_a_turn_does_not_sign_a_paper_of_another_route(city: Settings) -> None:
    first, second = routes.running(city, [HEAD]), routes.running(city, [HEAD])
    kept = routes.turn(first, "hanh")
    with pytest.raises(Conflict):
        routes.sign_paper(routes.route(second).document_ids[0], "hanh", turn=kept)
