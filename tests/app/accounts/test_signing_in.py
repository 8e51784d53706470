"""Signing in, staying signed in, and every way of it ending."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.accounts import service
from app.accounts.models import Account
from app.accounts.views import own_path
from app.core import db
from app.core.permissions import Permission, Role, house
from tests.factories.forms import csrf_token

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSWORD = "mot cau that dai va de nho"


def add_account(login: str = "lan") -> Account:
    with db.transaction() as session:
        return service.create_account(session, login=login, label="Bà Lan", password=PASSWORD)


def send(client: FlaskClient, login: str, password: str, next_path: str = "") -> TestResponse:
    token = csrf_token(client, "/sign-in")
    return client.post(f"/sign-in{next_path}", data={"csrf_token": token, "login": login, "password": password})


def test_the_right_password_signs_in_and_signing_out_ends_it(client: FlaskClient, database: str) -> None:
    add_account()
    answer = send(client, "LAN", PASSWORD)
    assert answer.status_code == 302
    assert "Chào Bà Lan" in client.get("/").get_data(as_text=True)
    stolen = client.get_cookie("kyvao")
    assert stolen is not None
    client.post("/sign-out", data={"csrf_token": csrf_token(client)})
    client.set_cookie("kyvao", stolen.value)
    assert "Chào" not in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize(("login", "password"), [("lan", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_read_the_same(
    client: FlaskClient, database: str, login: str, password: str
) -> None:
    add_account()
    answer = send(client, login, password)
    assert answer.status_code == 422
    assert "Tên đăng nhập hoặc mật khẩu chưa đúng." in answer.get_data(as_text=True)
    assert client.get_cookie("kyvao") is None


def test_the_sixth_try_in_a_minute_is_refused_even_with_the_right_password(client: FlaskClient, database: str) -> None:
    add_account()
    for _ in range(5):
        send(client, "lan", "wrong")
    answer = send(client, "lan", PASSWORD)
    assert answer.status_code == 429


def test_a_disabled_account_cannot_sign_in_and_its_open_session_ends(session: Session) -> None:
    account = service.create_account(session, login="lan", label="Bà Lan", password=PASSWORD)
    token = service.open_session(session, account, now=NOON)
    session.flush()
    assert service.resume_session(session, token, now=NOON)
    account.disabled_at = NOON
    assert service.resume_session(session, token, now=NOON) is None


def test_a_session_ends_when_idle_and_at_its_absolute_limit(session: Session) -> None:
    account = service.create_account(session, login="lan", label="Bà Lan")
    token = service.open_session(session, account, now=NOON)
    session.flush()
    last = NOON + service.IDLE - timedelta(seconds=1)
    assert service.resume_session(session, token, now=last)
    session.expire_all()
    assert service.resume_session(session, token, now=last + service.IDLE) is None
    moment = NOON
    while moment + timedelta(minutes=20) < NOON + service.ABSOLUTE:
        moment += timedelta(minutes=20)
        session.expire_all()
        assert service.resume_session(session, token, now=moment)
    session.expire_all()
    assert service.resume_session(session, token, now=NOON + service.ABSOLUTE) is None


def test_a_role_taken_away_is_gone_at_the_next_look(session: Session) -> None:
    account = service.create_account(session, login="oanh", label="Bà Oanh")
    service.grant_role(session, account, Role.ADMINISTRATOR, agency_id=None, actor=house("test"))
    assert service.actor_of(account).may(Permission.REVOKE_CERTIFICATES)
    account.grants.clear()
    assert not service.actor_of(account).may(Permission.REVOKE_CERTIFICATES)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/%0d%0aSet-Cookie:x\r\n",
        "/\tevil",
        "",
        None,
    ],
)
def test_after_signing_in_nobody_is_led_to_another_site(target: str | None) -> None:
    assert own_path(target) is None


def test_after_signing_in_one_returns_to_the_page_asked_for() -> None:
    assert own_path("/documents/1?page=2") == "/documents/1?page=2"
