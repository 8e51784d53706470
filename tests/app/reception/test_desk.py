"""Guests at the desk: found without marks, let in by hand at most once, and out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Conflict, NotFound
from app.core.permissions import Actor, Grant, Role
from app.core.settings import Settings
from app.gate.models import Admission
from app.gate.tasks import publish_lists
from app.meetings import desk_code
from app.meetings.models import Building, Guest, Meeting, Pass, Reentry
from app.reception import desk, presence
from app.reception.desk import Answer
from app.registry.models import Agency
from tests.factories import gate
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def now() -> datetime:
    return datetime.now(UTC)


def building(code: str = "TSC") -> UUID:
    with db.transaction() as session:
        return session.scalars(select(Building.id).where(Building.code == code)).one()


def let_in(guest_id: UUID, *, entry_id: UUID | None = None, by: str = "bao") -> Answer:
    with db.transaction() as session:
        return desk.let_in(session, actor(by), guest_id, entry_id=entry_id or uuid4(), reason="no_phone", now=now())


def let_out(guest_id: UUID) -> Answer:
    with db.transaction() as session:
        return desk.let_out(session, actor("bao"), guest_id, entry_id=uuid4(), now=now())


def guard_of(agency_code: str) -> Actor:
    with db.transaction() as session:
        agency_id = session.scalars(select(Agency.id).where(Agency.code == agency_code)).one()
    bao = actor("bao")
    return Actor(bao.account_id, bao.person_id, bao.label, (Grant(Role.GUARD, agency_id),))


def count_of(act: str) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).where(AuditEntry.act == act)) or 0


def inside(code: str = "TSC") -> list[str]:
    with db.transaction() as session:
        return [one.name for one in presence.inside(session, building(code))]


def test_a_guest_of_now_is_found_without_marks_and_not_in_another_building(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    with db.transaction() as session:
        found = desk.search(session, city, actor("bao"), building(), "nguyen thi", now=now())
        elsewhere = desk.search(session, city, actor("bao"), building("TTHC"), "nguyen thi", now=now())
    assert [one.guest.id for one in found] == [guest_id]
    assert elsewhere == []


def test_a_guest_is_found_by_the_desk_code_in_the_right_building_only(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    with db.transaction() as session:
        code = desk_code.make(session, city, session.get_one(Guest, guest_id))
    with db.transaction() as session:
        found = desk.search(session, city, actor("bao"), building(), f"{code[:4]} {code[4:]}", now=now())
        elsewhere = desk.search(session, city, actor("bao"), building("TTHC"), code, now=now())
        wrong = desk.search(session, city, actor("bao"), building(), f"{int(code) ^ 1:08}", now=now())
    assert [one.guest.id for one in found] == [guest_id]
    assert (elsewhere, wrong) == ([], [])


def test_a_guest_let_in_by_hand_is_inside_and_the_gate_knows_the_pass_is_used(web: Flask, city: Settings) -> None:
    publish_lists.func(0)
    guest_id, digits = gate.digits_for(city)
    assert let_in(guest_id) is Answer.ADMITTED
    assert inside() == ["Nguyễn Thị Lan"]
    assert gate.send(gate.tablet(web), gate.message(digits))["reason"] == "already_admitted"


def test_pressing_twice_lets_in_once_and_is_written_down_once(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    entry_id = uuid4()
    assert let_in(guest_id, entry_id=entry_id) is Answer.ADMITTED
    assert let_in(guest_id, entry_id=entry_id) is Answer.ADMITTED
    assert let_in(guest_id) is Answer.ALREADY
    assert count_of("guest_passed_by_hand") == 1


def test_who_has_left_comes_back_only_where_the_meeting_allows_it(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    let_in(guest_id)
    assert let_out(guest_id) is Answer.LEFT
    assert let_out(guest_id) is Answer.ALREADY
    assert inside() == []
    assert let_in(guest_id) is Answer.ALREADY
    with db.transaction() as session:
        session.execute(update(Meeting).values(reentry=Reentry.FREE))
    assert let_in(guest_id) is Answer.ADMITTED
    assert inside() == ["Nguyễn Thị Lan"]


def test_a_pass_that_a_tablet_may_admit_is_asked_back_and_not_used(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    device, _ = gate.new_code()
    with db.transaction() as session:
        session.execute(update(Pass).values(leased_to=device.id))
    assert let_in(guest_id) is Answer.LEASED
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Admission)) == 0


def test_a_withdrawn_pass_is_not_let_in(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    with db.transaction() as session:
        session.execute(update(Pass).values(state="withdrawn"))
    with pytest.raises(Conflict):
        let_in(guest_id)


def test_a_guard_of_another_agency_finds_neither_building_nor_guest(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    stranger = guard_of("H99.03")
    with db.transaction() as session:
        for call in (
            lambda: desk.search(session, city, stranger, building(), "lan", now=now()),
            lambda: desk.let_in(session, stranger, guest_id, entry_id=uuid4(), reason="no_phone", now=now()),
            lambda: desk.let_out(session, stranger, guest_id, entry_id=uuid4(), now=now()),
            lambda: presence.look(session, stranger, building(), again=False, now=now()),
        ):
            with pytest.raises(NotFound):
                call()


def test_the_guard_works_at_the_desk_page(web: Flask, city: Settings, sign_in: SignIn) -> None:
    guest_id, _ = gate.digits_for(city)
    guard = sign_in("bao")
    desk_page = guard.get(f"/reception/{building()}?q=nguyen").get_data(as_text=True)
    assert f"/reception/guests/{guest_id}" in desk_page
    path = f"/reception/guests/{guest_id}"
    page = guard.get(path).get_data(as_text=True)
    entry = re.search(r'name="entry"[^>]*value="([^"]+)"', page)
    assert entry
    form = {"csrf_token": csrf_token(guard, path), "entry": entry.group(1)}
    assert guard.post(path, data=form).status_code == 422
    assert guard.post(path, data=form | {"reason": "no_phone"}).status_code == 302
    assert "Nguyễn Thị Lan" in guard.get(f"/reception/{building()}/inside").get_data(as_text=True)
    badge = guard.get(f"{path}/badge").get_data(as_text=True)
    assert ("Nguyễn Thị Lan" in badge, "data:image/png" in badge) == (True, False)
    assert guard.post(f"{path}/out", data=form).status_code == 302
    assert guard.get(f"{path}/badge").status_code == 404
    assert inside() == []


@pytest.mark.parametrize("login", ["lan", "minh", "thu", "dung", "khoa"])
def test_only_a_guard_reaches_the_desk(web: Flask, city: Settings, sign_in: SignIn, login: str) -> None:
    browser = sign_in(login)
    assert [browser.get(path).status_code for path in ("/reception/", f"/reception/{building()}/inside")] == [403] * 2
