"""Changing one's own password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import service
from app.core import db
from app.core.errors import Invalid
from tests.factories.forms import csrf_token

OLD, NEW = "mot cau that dai va de nho", "mot cau khac con dai hon"
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def lan(database: str, sign_in: SignIn) -> FlaskClient:
    with db.transaction() as session:
        service.create_account(session, login="lan", label="Bà Lan", password=OLD)
    return sign_in("lan")


def change(client: FlaskClient, *, current: str = OLD, new: str = NEW, again: str | None = None) -> TestResponse:
    fields = {
        "csrf_token": csrf_token(client),
        "current": current,
        "new": new,
        "again": new if again is None else again,
    }
    return client.post("/account/password", data=fields)


def fits(password: str) -> bool:
    try:
        with db.transaction() as session:
            service.check_password(session, login="lan", password=password)
    except Invalid:
        return False
    return True


def test_a_changed_password_ends_every_other_session(lan: FlaskClient, sign_in: SignIn) -> None:
    elsewhere = sign_in("lan")
    assert change(lan).status_code == 302
    assert (fits(OLD), fits(NEW)) == (False, True)
    assert lan.get("/account/password").status_code == 200
    assert elsewhere.get("/account/password", headers={"Accept": "application/json"}).status_code == 401


@pytest.mark.parametrize(
    "wrong", [{"current": "not this one at all"}, {"new": "fourteen chars"}, {"again": "something else here"}]
)
def test_a_mistake_changes_nothing(lan: FlaskClient, wrong: dict[str, str]) -> None:
    assert change(lan, **wrong).status_code == 422
    assert fits(OLD)


def test_guessing_the_old_password_is_limited(lan: FlaskClient) -> None:
    answers = [change(lan, current="not this one at all").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]
