"""The watch list: two people, compared on the server, one bit in a record, every look written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.core import db
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.permissions import Actor
from app.core.queue import jobs
from app.core.settings import Settings
from app.gate.tasks import build_rosters
from app.reception import watch
from app.reception.models import WatchEntry, WatchState
from app.reception.watch import NewEntry
from app.worker import register_tasks
from pki.passes.roster import RosterFlags
from tests.app.gate.test_roster import answer, shown
from tests.app.reception.test_buildings import administrator_of
from tests.app.reception.test_desk import building, count_of, now
from tests.app.reception.test_visits import NUMBER, register
from tests.factories import gate
from tests.factories.certificates import actor, another_administrator
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def ask(
    city: Settings,
    *,
    name: str = "NGUYEN thi  Lan",
    place: UUID | None = None,
    number: str = "",
    until: datetime | None = None,
    by: Actor | None = None,
    entry_id: UUID | None = None,
) -> UUID:
    new = NewEntry(place, name, "Gây rối ngày 3/11", until or now() + timedelta(days=30), number)
    with db.transaction() as session:
        return watch.ask(session, city, by or actor("oanh"), new, entry_id=entry_id or uuid4(), now=now()).id


def agree(entry_id: UUID, by: Actor) -> str:
    with db.transaction() as session:
        act = session.scalars(select(Act).where(Act.object_id == str(entry_id))).one()
        return approvals.approve(session, by, act.id, digest=act.digest.hex(), now=now()).state


def in_force(city: Settings, **facts: object) -> UUID:
    entry_id = ask(city, **facts)  # type: ignore[arg-type]  # the keyword arguments of `ask`
    assert agree(entry_id, another_administrator()) == ActState.EXECUTED
    return entry_id


def flag(guest_id: UUID) -> RosterFlags:
    with db.transaction() as session:
        return watch.flags(session, [guest_id]).get(guest_id, RosterFlags.NONE)


def test_an_entry_counts_only_after_a_second_person_agreed(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    entry_id = ask(city)
    assert flag(guest_id) is RosterFlags.NONE
    with pytest.raises(Forbidden):
        agree(entry_id, actor("oanh"))
    assert flag(guest_id) is RosterFlags.NONE
    agree(entry_id, another_administrator())
    assert flag(guest_id) is RosterFlags.WATCH
    assert [count_of(act) for act in ("watch_asked", "watch_begun")] == [1, 1]


def test_worker_puts_the_bit_into_the_record_of_the_guest_at_the_gate(web: Flask, city: Settings) -> None:
    _, code = gate.digits_for(city)
    in_force(city)
    tablet = gate.tablet(web)
    # As `worker` loads them: the room of the desk registers itself there.
    register_tasks()
    build_rosters(0)
    header, _, _, body = answer(tablet)
    record = shown(header, body, code)
    assert record is not None
    assert record.flags & RosterFlags.WATCH
    assert "reception.tidy" in jobs.tasks


def test_an_entry_that_has_ended_or_is_for_another_building_or_name_flags_nobody(city: Settings) -> None:
    guest_id, _ = gate.digits_for(city)
    in_force(city, place=building("TTHC"))
    in_force(city, name="Nguyễn Thị Lan Anh")
    assert flag(guest_id) is RosterFlags.NONE
    entry_id = in_force(city, place=building())
    assert flag(guest_id) is RosterFlags.WATCH
    for _again in range(2):
        with db.transaction() as session:
            watch.end(session, actor("oanh"), entry_id, now=now())
    assert flag(guest_id) is RosterFlags.NONE
    assert count_of("watch_ended") == 1


def test_the_same_request_twice_is_one_entry_and_one_act(city: Settings) -> None:
    entry_id = uuid4()
    assert ask(city, entry_id=entry_id) == ask(city, entry_id=entry_id) == entry_id
    with db.transaction() as session:
        assert len(session.scalars(select(Act)).all()) == 1


def test_what_is_asked_without_a_name_for_ever_or_with_no_number_is_refused(city: Settings) -> None:
    for wrong in ({"name": "  "}, {"number": "123"}, {"until": now()}, {"until": now() + timedelta(days=400)}):
        with pytest.raises(Invalid):
            ask(city, **wrong)  # type: ignore[arg-type]  # the keyword arguments of `ask`
    with db.transaction() as session:
        assert session.scalars(select(WatchEntry)).all() == []


def test_a_visitor_is_compared_by_number_where_both_have_one_else_by_name(city: Settings) -> None:
    register(city, number=NUMBER)
    in_force(city, name="Đỗ Văn Khách", number="001085999999")
    with db.transaction() as session:
        assert watch.look(session, actor("oanh"), now=now())[1] == []
    in_force(city, name="Tên khác", number=NUMBER)
    with db.transaction() as session:
        _, found = watch.look(session, actor("oanh"), now=now())
    assert [(one.name, one.by_number) for one in found] == [("Đỗ Văn Khách", True)]
    assert count_of("watch_viewed") == 2
    with db.transaction() as session:
        rows = session.execute(text("SELECT watch_entry::text FROM watch_entry")).scalars().all()
        assert not any(NUMBER in row for row in rows)
        # The act tells nothing of the person: that stands in the entry alone.
        assert [act.payload for act in session.scalars(select(Act))] == [{}, {}]


def test_entries_end_with_their_time_and_when_nobody_agreed(city: Settings) -> None:
    asked, active = ask(city), in_force(city, name="Trần Văn Tới")
    with db.transaction() as session:
        assert watch.expire(session, now=now()) == 0
        assert watch.expire(session, now=now() + approvals.LIFETIME + timedelta(minutes=1)) == 1
        assert session.get_one(WatchEntry, asked).state == WatchState.ENDED
        assert watch.expire(session, now=now() + timedelta(days=31)) == 1
        assert session.get_one(WatchEntry, active).state == WatchState.ENDED


def test_an_administrator_of_another_agency_sees_and_ends_nothing_and_asks_for_no_city(city: Settings) -> None:
    entry_id, stranger = in_force(city, place=building()), administrator_of("H99.03")
    whole_city = in_force(city, name="Trần Văn Tới")
    with db.transaction() as session:
        assert watch.look(session, stranger, now=now()) == ([], [])
        for other in (entry_id, whole_city):
            with pytest.raises(NotFound):
                watch.end(session, stranger, other, now=now())
    with pytest.raises(NotFound):
        ask(city, place=building(), by=stranger)
    with pytest.raises(Forbidden):
        ask(city, by=stranger)


def test_the_pages_of_the_list(web: Flask, city: Settings, sign_in: SignIn) -> None:
    gate.digits_for(city)
    browser, path = sign_in("oanh"), "/reception/watch/new"
    form = {"csrf_token": csrf_token(browser, path), "entry": str(uuid4()), "name": "Nguyễn Thị Lan", "building": ""}
    form |= {"reason": "Gây rối", "until": f"{now() + timedelta(days=9):%Y-%m-%d}", "number": "12"}
    assert browser.post(path, data=form).status_code == 422
    assert browser.post(path, data=form | {"number": ""}).status_code == 302
    assert "Chờ người thứ hai duyệt" in browser.get("/reception/watch/").get_data(as_text=True)
    sentence = "1 người trong danh sách chú ý sẽ đến"
    assert sentence not in browser.get("/").get_data(as_text=True)
    agree(UUID(form["entry"]), another_administrator())
    assert sentence in browser.get("/").get_data(as_text=True)
    shown = browser.get("/reception/watch/").get_data(as_text=True)
    assert "Trùng họ tên" in shown
    ended = browser.post(f"/reception/watch/{form['entry']}/end", data=form, follow_redirects=True)
    assert "Danh sách trống" in ended.get_data(as_text=True)


@pytest.mark.parametrize("login", ["bao", "minh", "khoa"])
def test_the_list_is_not_for_guards(web: Flask, city: Settings, sign_in: SignIn, login: str) -> None:
    assert sign_in(login).get("/reception/watch/").status_code == 403
