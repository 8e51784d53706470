"""The next generation of an authority, and the end of one, asked for on a page and decided by another administrator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.alarms.models import Alarm
from app.approvals import service as approvals
from app.approvals.models import Act
from app.certificates import authority_acts, tasks
from app.certificates.models import Authority
from app.core import db
from app.core.errors import Conflict, Forbidden
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

NAME = "issuing_officials"


def ask(client: FlaskClient) -> UUID:
    token = csrf_token(client, f"/authority/authorities/{NAME}")
    answer = client.post(f"/authority/authorities/{NAME}/next", data={"csrf_token": token})
    return UUID(answer.location.rstrip("/").rpartition("/")[2])


def approve(act_id: UUID, by: str) -> None:
    with db.transaction() as session:
        act = session.get_one(Act, act_id)
        approvals.approve(session, actor(by), act_id, digest=act.digest_hex, now=datetime.now(UTC))


def generations() -> list[tuple[int, bool]]:
    with db.transaction() as session:
        found = session.scalars(select(Authority).where(Authority.profile == NAME).order_by(Authority.generation))
        return [(one.generation, one.retired_at is not None) for one in found]


@pytest.mark.usefixtures("city")
def test_an_administrator_asks_another_approves_and_the_worker_makes_the_next_generation(
    sign_in: Callable[[str], FlaskClient],
) -> None:
    act_id = ask(sign_in("oanh"))
    assert generations() == [(1, False)]
    approve(act_id, "ngan")
    for _ in range(2):
        tasks.roll_over.func(str(act_id))
    assert generations() == [(1, True), (2, False)]


@pytest.mark.usefixtures("city")
def test_nobody_approves_what_they_asked_for_and_nothing_is_made_without_approval(
    sign_in: Callable[[str], FlaskClient],
) -> None:
    act_id = ask(sign_in("oanh"))
    with pytest.raises(Forbidden):
        approve(act_id, "oanh")
    tasks.roll_over.func(str(act_id))
    assert generations() == [(1, False)]
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(Alarm.kind == "authority_not_rolled_over")) == 1


@pytest.mark.usefixtures("city")
def test_revoking_an_authority_wants_its_name_typed_and_another_person(sign_in: Callable[[str], FlaskClient]) -> None:
    client = sign_in("oanh")
    token = csrf_token(client, f"/authority/authorities/{NAME}")
    wrong = client.post(
        f"/authority/authorities/{NAME}/revoke", data={"csrf_token": token, "reason": "2", "confirmation": "other"}
    )
    assert wrong.status_code == 422
    right = client.post(
        f"/authority/authorities/{NAME}/revoke", data={"csrf_token": token, "reason": "2", "confirmation": NAME}
    )
    act_id = UUID(right.location.rstrip("/").rpartition("/")[2])
    with db.transaction() as session:
        assert session.scalar(select(Authority.revoked_at).where(Authority.name == NAME)) is None
    approve(act_id, "ngan")
    with db.transaction() as session:
        assert session.scalar(select(Authority.revoked_at).where(Authority.name == NAME)) is not None


@pytest.mark.usefixtures("city")
def test_the_root_is_not_followed_or_ended_here(sign_in: Callable[[str], FlaskClient]) -> None:
    assert sign_in("oanh").get("/authority/authorities/root").status_code == 404
    with db.transaction() as session, pytest.raises(Conflict):
        authority_acts.ask_to_roll_over(session, actor("oanh"), "root", now=datetime.now(UTC))


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("who", ["dung", "khoa", "minh"])
def test_the_pages_of_authorities_are_for_administrators(sign_in: Callable[[str], FlaskClient], who: str) -> None:
    client = sign_in(who)
    assert client.get("/authority/authorities/").status_code == 403
    assert client.get(f"/authority/authorities/{NAME}").status_code == 403
