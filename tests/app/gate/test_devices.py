"""Tablets: enrolled once with a code, refused from the moment they are revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import db
from app.core.errors import Invalid, NotFound
from app.core.permissions import Role
from app.core.settings import Settings
from app.gate import devices
from app.gate.models import Checkpoint
from app.meetings.models import Building
from app.registry.models import Agency
from tests.factories import gate
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.officers import officer

SignIn = Callable[[str], FlaskClient]


def enrol(code: str, *, at: datetime | None = None) -> str:
    with db.transaction() as session:
        return devices.enrol(session, code, actor=actor("bao"), now=at or datetime.now(UTC))[1]


def test_a_code_works_once(city: Settings) -> None:
    _, code = gate.new_code()
    enrol(code)
    with pytest.raises(Invalid):
        enrol(code)


def test_a_code_works_until_its_last_second(city: Settings) -> None:
    device, code = gate.new_code()
    assert device.code_expires_at is not None
    with pytest.raises(Invalid):
        enrol(code, at=device.code_expires_at)
    assert enrol(code, at=device.code_expires_at - timedelta(seconds=1))


def test_a_guard_enters_the_code_and_the_browser_becomes_the_tablet(
    web: Flask, city: Settings, sign_in: SignIn
) -> None:
    _, code = gate.new_code()
    guard = sign_in("bao")
    form = {"csrf_token": csrf_token(guard, "/gate/enrol"), "code": f"{code[:4]} {code[4:]}"}
    answer = guard.post("/gate/enrol", data=form)
    assert (answer.status_code, answer.location) == (302, "/gate/")
    cookie = guard.get_cookie("kyvao-device")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Strict"


def test_a_wrong_code_is_refused_and_the_eleventh_try_in_an_hour_too(
    web: Flask, city: Settings, sign_in: SignIn
) -> None:
    guard = sign_in("bao")
    for expected in [422] * 10 + [429]:
        form = {"csrf_token": csrf_token(guard, "/gate/enrol"), "code": "12345678"}
        assert guard.post("/gate/enrol", data=form).status_code == expected


def test_a_revoked_tablet_is_refused_at_its_next_contact_and_cannot_come_back(web: Flask, city: Settings) -> None:
    browser = gate.tablet(web)
    as_program = {"Accept": "application/json"}
    with db.transaction() as session:
        device = devices.devices(session, actor("oanh"))[0]
        devices.revoke(session, device.id, actor=actor("oanh"), now=datetime.now(UTC))
        devices.revoke(session, device.id, actor=actor("oanh"), now=datetime.now(UTC))
    assert browser.get("/gate/lists", headers=as_program).status_code == 401
    assert browser.post("/gate/scans", json={}, headers=as_program).status_code in {400, 401}


@pytest.mark.parametrize("login", ["lan", "minh", "dung", "bao", "khoa"])
def test_only_an_administrator_reaches_the_tablets(web: Flask, city: Settings, sign_in: SignIn, login: str) -> None:
    device, _ = gate.new_code()
    browser = sign_in(login)
    paths = ("/gate/devices/", "/gate/devices/new", f"/gate/devices/{device.id}/revoke")
    assert [browser.get(path).status_code for path in paths] == [403] * 3


def test_somebody_who_is_no_guard_cannot_enrol(web: Flask, city: Settings, sign_in: SignIn) -> None:
    assert sign_in("lan").get("/gate/enrol").status_code == 403


def test_an_administrator_adds_renews_and_revokes_by_form(web: Flask, city: Settings, sign_in: SignIn) -> None:
    administrator = sign_in("oanh")
    page = administrator.get("/gate/devices/new").get_data(as_text=True)
    checkpoint = page.split('<option value="')[1].split('"')[0]
    form = {"csrf_token": csrf_token(administrator, "/gate/devices/new"), "label": "Máy 9", "checkpoint": checkpoint}
    assert "Máy 9" in administrator.post("/gate/devices/new", data=form).get_data(as_text=True)
    with db.transaction() as session:
        device = devices.devices(session, actor("oanh"))[0]
    token = {"csrf_token": csrf_token(administrator, "/gate/devices/")}
    assert administrator.post(f"/gate/devices/{device.id}/code", data=token).status_code == 200
    assert administrator.post(f"/gate/devices/{device.id}/revoke", data=token).status_code == 302
    assert administrator.post(f"/gate/devices/{device.id}/code", data=token).status_code == 409


def test_tablets_of_a_building_are_the_business_of_who_looks_after_it(city: Settings, sign_in: SignIn) -> None:
    device, _ = gate.new_code("Máy của Sở")
    with db.transaction() as session:
        building = session.scalars(select(Building).where(Building.code == "TSC")).one()
        building.keeper_id = session.scalars(select(Agency.id).where(Agency.code == "H99.02")).one()
        checkpoint = session.scalars(select(Checkpoint.id).where(Checkpoint.building_id == building.id)).all()[0]
    officer("tam", "H99.03", Role.ADMINISTRATOR)
    officer("tu", "H99.02", Role.ADMINISTRATOR)
    stranger, keeper = sign_in("tam"), sign_in("tu")
    token = {"csrf_token": csrf_token(stranger, "/")}
    assert "Máy của Sở" not in stranger.get("/gate/devices/").get_data(as_text=True)
    assert stranger.get(f"/gate/devices/{device.id}/revoke").status_code == 404
    assert stranger.post(f"/gate/devices/{device.id}/revoke", data=token).status_code == 404
    assert stranger.post(f"/gate/devices/{device.id}/code", data=token).status_code == 404
    new = token | {"label": "Máy lạ", "checkpoint": str(checkpoint)}
    assert stranger.post("/gate/devices/new", data=new).status_code == 422
    with db.transaction() as session, pytest.raises(NotFound):
        devices.add(session, checkpoint, label="Máy lạ", actor=actor("tam"), now=datetime.now(UTC))
    assert "Máy của Sở" in keeper.get("/gate/devices/").get_data(as_text=True)
    assert keeper.get(f"/gate/devices/{device.id}/revoke").status_code == 200
