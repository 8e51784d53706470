"""“My access tokens”: made within one's own rights, shown once, ended by their owner alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts import tokens
from app.accounts.token_models import AccessToken
from app.accounts.token_words import SCOPES
from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Forbidden, Invalid, TooMany
from app.core.permissions import Permission
from app.core.settings import Settings
from app.interface.operations import Operation
from tests.factories.api import Program, token_of
from tests.factories.certificates import actor, create_city

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def city(settings: Settings, database: str) -> Settings:
    create_city(settings)
    return settings


def _form_token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found[1]


def _make(client: FlaskClient, *scopes: str, name: str = "Một cửa", days: str = "30") -> str:
    form_token = _form_token(client.get("/account/tokens/new").text)
    answer = client.post(
        "/account/tokens/new", data={"csrf_token": form_token, "name": name, "scopes": list(scopes), "days": days}
    )
    assert answer.status_code == 200, answer.text
    found = re.search(r">(kyvao_[\w-]{43})<", answer.text)
    assert found
    return found[1]


def test_a_token_made_on_the_page_opens_what_was_chosen_and_nothing_else(
    city: Settings, web: Flask, sign_in: SignIn
) -> None:
    client = sign_in("oanh")
    program = Program(web, _make(client, "find_certificates"))
    assert program.get("/certificates").status_code == 200
    assert program.get("/approvals").status_code == 403
    listed = client.get("/account/tokens").text
    assert "Một cửa" in listed
    assert "kyvao_" not in listed
    with db.transaction() as session:
        made = session.scalars(select(AccessToken)).one()
        assert made.expires_at - made.created_at == timedelta(days=30)
        assert session.scalars(select(AuditEntry).where(AuditEntry.act == "token_made")).one().object_id == str(made.id)


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": "revoke_certificates"}, {"scopes": "anything"}, {"scopes": []}, {"days": "3650"}, {"name": " "}],
)
def test_a_token_beyond_ones_rights_or_a_year_is_not_made(
    city: Settings, sign_in: SignIn, wrong: dict[str, str]
) -> None:
    client = sign_in("minh")
    form_token = _form_token(client.get("/account/tokens/new").text)
    data = {"csrf_token": form_token, "name": "x", "scopes": "hold_certificate", "days": "30"} | wrong
    assert client.post("/account/tokens/new", data=data).status_code == 422
    with db.transaction() as session:
        assert session.scalar(select(AccessToken)) is None


def test_a_token_is_ended_by_its_owner_and_by_nobody_else(city: Settings, web: Flask, sign_in: SignIn) -> None:
    token = token_of("oanh", Permission.FIND_CERTIFICATES)
    with db.transaction() as session:
        token_id = session.scalars(select(AccessToken.id)).one()
    stranger, owner = sign_in("dung"), sign_in("oanh")
    form_token = _form_token(stranger.get("/account/tokens/new").text)
    address = f"/account/tokens/{token_id}/end"
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, data={"csrf_token": form_token}).status_code == 404
    assert Program(web, token).get("/certificates").status_code == 200
    form_token = _form_token(owner.get(address).text)
    for _ in range(2):
        assert owner.post(address, data={"csrf_token": form_token}).status_code == 302
    assert Program(web, token).get("/certificates").status_code == 401
    with db.transaction() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.act == "token_ended")).all()) == 1


def test_nobody_makes_a_token_with_a_token(city: Settings) -> None:
    now = datetime.now(UTC)
    token = token_of("oanh")
    with db.transaction() as session:
        bearer = tokens.bearer_of(session, f"Bearer {token}", now=now)
        with pytest.raises(Forbidden):
            tokens.make(
                session, bearer.actor, name="x", scopes={Permission.FIND_CERTIFICATES}, life=timedelta(1), now=now
            )


def test_a_scope_that_the_person_does_not_hold_is_refused_below_the_page(city: Settings) -> None:
    with pytest.raises(Invalid):
        token_of("minh", Permission.REVOKE_CERTIFICATES)


def test_one_has_at_most_fifty_tokens(city: Settings) -> None:
    now, who = datetime.now(UTC), actor("oanh")
    scopes = {Permission.FIND_CERTIFICATES}
    with db.transaction() as session:
        for number in range(tokens.MOST):
            tokens.make(session, who, name=f"{number}", scopes=scopes, life=timedelta(days=1), now=now)
        with pytest.raises(TooMany):
            tokens.make(session, who, name="more", scopes=scopes, life=timedelta(days=1), now=now)


def test_home_tells_of_a_token_two_weeks_before_its_end(city: Settings, sign_in: SignIn) -> None:
    token_of("oanh", Permission.FIND_CERTIFICATES, life=timedelta(days=15))
    assert "/account/tokens" not in _waiting(sign_in("oanh"))
    token_of("oanh", Permission.FIND_CERTIFICATES, life=timedelta(days=13))
    assert "/account/tokens" in _waiting(sign_in("oanh"))


def _waiting(client: FlaskClient) -> str:
    found = re.search(r'<ul class="[^"]*kv-waiting">.*?</ul>', client.get("/").text, re.DOTALL)
    return found[0] if found else ""


def test_every_permission_of_an_operation_can_be_chosen_and_no_other(web: Flask) -> None:
    operations: list[Operation] = web.extensions["kyvao_operations"]
    assert {one.permission for one in operations} == set(SCOPES)
