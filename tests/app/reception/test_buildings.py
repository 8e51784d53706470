"""Buildings with their rooms, zones and gates, kept by administrators of the agency that keeps the building."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.core import db
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Grant, Role
from app.core.settings import Settings
from app.meetings.models import Building
from app.reception import buildings, presence
from app.registry.models import Agency
from tests.app.reception.test_desk import building, count_of, guard_of, now
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def administrator_of(agency_code: str) -> Actor:
    with db.transaction() as session:
        agency_id = session.scalars(select(Agency.id).where(Agency.code == agency_code)).one()
    oanh = actor("oanh")
    return Actor(oanh.account_id, oanh.person_id, oanh.label, (Grant(Role.ADMINISTRATOR, agency_id),))


def add(by: Actor | None = None, *, code: str = "BD", name: str = "Trụ sở phường", keeper: str = "H99.03") -> UUID:
    with db.transaction() as session:
        made = buildings.add(session, by or actor("oanh"), code=code, name=name, address="1 Bến Đỏ", keeper_code=keeper)
        return made.id


def test_a_building_is_added_once_and_its_code_belongs_to_it(city: Settings) -> None:
    assert add() == add(code="bd")
    with pytest.raises(Conflict):
        add(name="Nhà khác")
    with pytest.raises(Invalid):
        add(code="X", keeper="H99.77")
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(Building.code.in_(("BD", "X")))) == 1
    assert count_of("building_added") == 1


def test_a_zone_is_named_before_a_gate_opens_it_and_doing_it_again_changes_nothing(city: Settings) -> None:
    oanh, place = actor("oanh"), building()
    with db.transaction() as session:
        with pytest.raises(Invalid):
            buildings.add_gate(session, oanh, place, "Cửa tầng 3", 3)
        for _ in range(2):
            buildings.name_zone(session, oanh, place, 3, "Tầng 3")
            buildings.add_gate(session, oanh, place, "Cửa tầng 3", 3)
            buildings.add_room(session, oanh, place, "Phòng 303")
        with pytest.raises(Conflict):
            buildings.add_gate(session, oanh, place, "Cửa tầng 3", 0)
        for number in (-1, 32):
            with pytest.raises(Invalid):
                buildings.name_zone(session, oanh, place, number, "Ngoài")
        found = buildings.plan(session, oanh, place)
    assert (sorted(found.zones), found.zones[3]) == ([0, 3], "Tầng 3")
    assert [gate.name for gate in found.gates] == ["Cổng A", "Cổng B", "Cửa tầng 3"]
    assert "Phòng 303" in found.rooms
    assert [count_of(act) for act in ("zone_named", "gate_added", "room_added")] == [1, 1, 1]


def test_a_building_is_given_to_another_agency_and_its_guards_change(city: Settings) -> None:
    place, before, after = building(), guard_of("H99.02"), guard_of("H99.03")
    with db.transaction() as session:
        assert presence.look(session, before, place, again=True, now=now())[1] == []
        for _again in range(2):
            buildings.give(session, actor("oanh"), place, "H99.03")
        assert presence.look(session, after, place, again=True, now=now())[1] == []
        with pytest.raises(NotFound):
            presence.look(session, before, place, again=True, now=now())
        with pytest.raises(Forbidden):
            buildings.give(session, administrator_of("H99.03"), place, "H99.02")
        with pytest.raises(NotFound):
            buildings.give(session, administrator_of("H99.02"), place, "H99.02")
    assert count_of("building_given") == 1


def test_an_administrator_of_another_agency_finds_no_building(city: Settings) -> None:
    stranger, place = administrator_of("H99.03"), building()
    with db.transaction() as session:
        for call in (
            lambda: buildings.plan(session, stranger, place),
            lambda: buildings.add_room(session, stranger, place, "Phòng lạ"),
            lambda: buildings.name_zone(session, stranger, place, 1, "Khu lạ"),
            lambda: buildings.add_gate(session, stranger, place, "Cổng lạ", 0),
        ):
            with pytest.raises(NotFound):
                call()
    with pytest.raises(Forbidden):
        add(stranger, keeper="H99.02")
    assert add(stranger) is not None


def test_an_administrator_builds_a_building_on_the_pages(web: Flask, city: Settings, sign_in: SignIn) -> None:
    browser = sign_in("oanh")
    form = {"csrf_token": csrf_token(browser, "/buildings/new"), "code": "BD", "name": "Trụ sở phường"}
    form |= {"address": "1 Bến Đỏ", "keeper": "H99.77"}
    refused = browser.post("/buildings/new", data=form)
    assert (refused.status_code, "Không có cơ quan nào" in refused.get_data(as_text=True)) == (422, True)
    page = browser.post("/buildings/new", data=form | {"keeper": "H99.03"}).headers["Location"]
    token = {"csrf_token": csrf_token(browser, page)}
    assert browser.post(f"{page}/zones", data=token | {"number": "40", "zone_name": "x"}).status_code == 422
    assert browser.post(f"{page}/zones", data=token | {"number": "2", "zone_name": "Tầng 2"}).status_code == 302
    assert browser.post(f"{page}/gates", data=token | {"gate": "Cửa 9", "gate_zone": "9"}).status_code == 422
    assert browser.post(f"{page}/gates", data=token | {"gate": "Cửa 2", "gate_zone": "2"}).status_code == 302
    assert browser.post(f"{page}/rooms", data=token | {"room": ""}).status_code == 422
    assert browser.post(f"{page}/rooms", data=token | {"room": "Phòng 1"}).status_code == 302
    wrong = browser.post(f"{page}/keeper", data=token | {"keeper": "H99.77"})
    assert wrong.status_code == 422
    assert browser.post(f"{page}/keeper", data=token | {"keeper": "H99.03"}).status_code == 302
    shown = browser.get(page).get_data(as_text=True)
    assert all(word in shown for word in ("Tầng 2", "Cửa 2", "Phòng 1", "phường Bến Đỏ"))
    assert "Trụ sở phường" in browser.get("/buildings/").get_data(as_text=True)


@pytest.mark.parametrize("login", ["bao", "minh", "thu"])
def test_only_an_administrator_keeps_buildings(web: Flask, city: Settings, sign_in: SignIn, login: str) -> None:
    browser = sign_in(login)
    assert [browser.get(path).status_code for path in ("/buildings/", f"/buildings/{building()}")] == [403] * 2
