"""Two people at the same moment: real transactions side by side, one of which waits for the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from app.core import db
from app.core.errors import AppError, Conflict
from app.core.settings import Settings
from app.documents.models import Document, DocumentVersion
from app.routes import service
from app.routes.models import Act, Route, RouteAct, RouteState, StepState
from tests.factories import routes
from tests.factories.certificates import actor
from tests.factories.routes import Step

HEAD = Step(Act.SIGN, "hanh")


@pytest.fixture(autouse=True)
def people(city: Settings) -> None:
    routes.official("quang", "Lý Văn Quang", title="Trưởng phòng")
    routes.official("tuyet", "Mai Thị Tuyết", title="Phó Trưởng phòng")


def at_once(*acts: Callable[[], None]) -> Sequence[AppError | None]:
    """Do the acts at the same moment and return what each was refused with."""
    together = Barrier(len(acts))

    def one(act: Callable[[], None]) -> AppError | None:
        together.wait()
        try:
            act()
        except AppError as error:
            return error
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


@pytest.mark.parametrize("_again", range(3))
def test_the_last_two_of_a_group_open_the_next_turn_once(city: Settings, _again: int) -> None:
    steps = [Step(Act.INITIAL, "quang"), Step(Act.INITIAL, "tuyet", beside=True), HEAD]
    route_id = routes.running(city, steps)
    document_id = routes.route(route_id).document_ids[0]
    refused = at_once(
        lambda: routes.sign_paper(document_id, "quang"),
        lambda: routes.sign_paper(document_id, "tuyet"),
    )
    assert refused == [None, None]
    shown = routes.route(route_id)
    assert [step.state for step in shown.steps] == [StepState.DONE, StepState.DONE, StepState.OPEN]
    with db.transaction() as session:
        assert session.get_one(Document, document_id).newest.number == 3


@pytest.mark.parametrize("_again", range(3))
def test_a_head_who_signs_while_the_drafter_withdraws_either_signs_before_or_not_at_all(
    city: Settings, _again: int
) -> None:
    route_id = routes.running(city, [HEAD])
    document_id, version = routes.route(route_id).document_ids[0], routes.route(route_id).version
    kept = routes.turn(route_id, "hanh")

    def withdraw() -> None:
        with db.transaction() as session:
            service.withdraw(session, actor("minh"), route_id, reason="", route_version=version, now=routes.now())

    refused = at_once(lambda: routes.sign_paper(document_id, "hanh", turn=kept), withdraw)
    assert [isinstance(one, Conflict) for one in refused].count(True) == 1
    with db.transaction() as session:
        versions = session.scalar(
            select(func.count()).select_from(DocumentVersion).where(DocumentVersion.document_id == document_id)
        )
    expected = (RouteState.SIGNED, 2) if refused[0] is None else (RouteState.WITHDRAWN, 1)
    assert (routes.route(route_id).state, versions) == expected


def test_two_clicks_on_issue_number_it_once(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    routes.sign(route_id, "hanh")
    refused = at_once(lambda: routes.issue(route_id), lambda: routes.issue(route_id))
    assert sorted(isinstance(one, Conflict) for one in refused) == [False, True]
    with db.transaction() as session:
        issues = session.scalar(select(func.count()).select_from(RouteAct).where(RouteAct.duty == "issue"))
        assert (issues, session.get_one(Route, route_id).state) == (1, RouteState.ISSUED)
