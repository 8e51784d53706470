"""Who reads the log of acts, and where one-click sign-in exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.audit import service as audit
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.demo import city
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def people(settings: Settings, database: str) -> None:
    city.create(settings, lambda _: None)


@pytest.mark.parametrize("login", ["lan", "minh", "thu", "dung", "bao"])
def test_the_log_is_closed_to_those_who_do_not_audit(people: None, sign_in: SignIn, login: str) -> None:
    assert sign_in(login).get("/log/").status_code == 403


@pytest.mark.parametrize("login", ["oanh", "khoa"])
def test_administrators_and_auditors_read_who_did_what(people: None, sign_in: SignIn, login: str) -> None:
    page = sign_in(login).get("/log/")
    assert page.status_code == 200
    assert "Cấp chứng thư số" in page.get_data(as_text=True)


def test_the_second_page_of_the_log_begins_where_the_first_ends(people: None, sign_in: SignIn) -> None:
    with db.transaction() as session:
        for number in range(audit.PAGE):
            audit.record(session, house("test"), "signed_in", object_kind="account", object_id=number)
    auditor = sign_in("khoa")
    first = auditor.get("/log/").get_data(as_text=True)
    link = first.split('href="/log/?before=')[1].split('"')[0]
    assert auditor.get(f"/log/?before={link}").status_code == 200
    assert "Chưa ghi nhận việc nào." in auditor.get("/log/?before=1").get_data(as_text=True)


def test_one_click_signs_in_a_person_of_the_demonstration_and_nobody_else(people: None, client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client)}
    assert client.post("/demo/sign-in/nobody", data=form).status_code == 404
    assert client.post("/demo/sign-in/lan", data=form).status_code == 302
    assert "Chào Bà Lan" in client.get("/").get_data(as_text=True)


def test_without_the_demonstration_there_is_no_one_click_sign_in(people: None, settings: Settings) -> None:
    plain: Flask = create_app(replace(settings, demonstration=False))
    browser = plain.test_client()
    form = {"csrf_token": csrf_token(browser, "/sign-in")}
    assert browser.post("/demo/sign-in/lan", data=form).status_code == 404
