"""Visitors without an invitation: the host is told and answers, a badge is made, nobody is registered twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Conflict, NotFound
from app.core.settings import Settings
from app.notices.models import Notice
from app.reception import presence, retention, visits
from app.reception.models import VisitState, WalkIn
from app.reception.visits import NewVisit
from tests.app.reception.test_desk import building, count_of, guard_of, now
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]
NUMBER = "001085123456"


def account(login: str) -> UUID:
    account_id = actor(login).account_id
    assert account_id is not None
    return account_id


def register(city: Settings, *, visit_id: UUID | None = None, host: str = "minh", number: str = "") -> UUID:
    new = NewVisit("Đỗ Văn  Khách", "Công ty Sông Xanh", "Nộp hồ sơ", account(host), number)
    with db.transaction() as session:
        return visits.register(session, city, actor("bao"), building(), new, visit_id=visit_id or uuid4(), now=now()).id


def answer(visit_id: UUID, to: VisitState, by: str = "minh") -> None:
    with db.transaction() as session:
        visits.answer(session, actor(by), visit_id, to, now=now())


def let_in(visit_id: UUID) -> None:
    with db.transaction() as session:
        visits.let_in(session, actor("bao"), visit_id, until=now() + timedelta(hours=4), now=now())


def state(visit_id: UUID) -> str:
    with db.transaction() as session:
        return session.get_one(WalkIn, visit_id).state


def test_a_visitor_is_registered_once_and_the_host_is_told_once(city: Settings) -> None:
    visit_id = uuid4()
    assert register(city, visit_id=visit_id) == register(city, visit_id=visit_id) == visit_id
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(Notice.kind == "visitor")) == 1
        assert [one.id for one in visits.waiting_for(session, actor("minh"))] == [visit_id]
        assert session.get_one(WalkIn, visit_id).name == "Đỗ Văn Khách"


def test_a_visitor_comes_in_only_after_the_host_agreed_and_only_once(city: Settings) -> None:
    visit_id = register(city)
    for refusal in (None, VisitState.LATER, VisitState.REFUSED):
        if refusal is not None:
            answer(visit_id, refusal)
        with pytest.raises(Conflict):
            let_in(visit_id)
    answer(visit_id, VisitState.APPROVED)
    answer(visit_id, VisitState.APPROVED)
    let_in(visit_id)
    let_in(visit_id)
    with pytest.raises(Conflict):
        answer(visit_id, VisitState.REFUSED)
    with db.transaction() as session:
        assert [one.name for one in presence.inside(session, building())] == ["Đỗ Văn Khách"]
        assert session.scalar(select(func.count()).where(AuditEntry.act == "visitor_came_in")) == 1


def test_only_the_host_answers_for_a_visitor(city: Settings) -> None:
    visit_id = register(city)
    for stranger in ("hanh", "bao", "lan"):
        with pytest.raises(NotFound):
            answer(visit_id, VisitState.APPROVED, by=stranger)
    assert state(visit_id) == VisitState.WAITING


def test_a_guard_of_another_agency_finds_no_visitor(city: Settings) -> None:
    visit_id = register(city)
    stranger = guard_of("H99.03")
    with db.transaction() as session:
        for call in (
            lambda: visits.at_desk(session, stranger, visit_id),
            lambda: visits.let_in(session, stranger, visit_id, until=now(), now=now()),
            lambda: visits.let_out(session, stranger, visit_id, now=now()),
            lambda: visits.new_badge(session, stranger, visit_id),
            lambda: visits.of_today(session, stranger, building(), now=now()),
        ):
            with pytest.raises(NotFound):
                call()


def test_a_badge_lets_its_visitor_out_and_an_earlier_one_has_ended(city: Settings) -> None:
    visit_id = register(city)
    answer(visit_id, VisitState.APPROVED)
    let_in(visit_id)
    with db.transaction() as session:
        _, first = visits.new_badge(session, actor("bao"), visit_id)
        _, second = visits.new_badge(session, actor("bao"), visit_id)
        with pytest.raises(NotFound):
            visits.by_badge(session, actor("bao"), first)
        visits.let_out(session, actor("bao"), visits.by_badge(session, actor("bao"), second).id, now=now())
    assert state(visit_id) == VisitState.LEFT


def test_the_number_of_a_card_is_kept_as_a_keyed_hash_for_a_week(city: Settings) -> None:
    visit_id = register(city, number=NUMBER)
    with db.transaction() as session:
        row = session.execute(text("SELECT walk_in::text FROM walk_in")).scalar_one()
        assert NUMBER not in row
        kept = session.get_one(WalkIn, visit_id).number_hash
        assert kept is not None
        assert len(kept) == 32
        assert retention.forget(session, now=now() + retention.NUMBERS - timedelta(minutes=1)) == 0
        assert retention.forget(session, now=now() + retention.NUMBERS + timedelta(minutes=1)) == 1
        assert session.get_one(WalkIn, visit_id).number_hash is None


def test_a_visitor_is_forgotten_after_thirty_days_with_the_letter_to_the_host(city: Settings) -> None:
    visit_id = register(city)
    with db.transaction() as session:
        assert retention.forget(session, now=now() + retention.NAMES - timedelta(minutes=1)) == 0
        assert retention.forget(session, now=now() + retention.NAMES + timedelta(minutes=1)) == 1
        assert retention.forget(session, now=now() + retention.NAMES + timedelta(minutes=1)) == 0
        assert session.scalars(select(Notice).where(Notice.subject_id == visit_id)).all() == []
        row = session.execute(text("SELECT walk_in::text FROM walk_in")).scalar_one()
    assert "Khách" not in row
    assert count_of("visitors_forgotten") == 1


def test_who_stays_after_their_time_waits_on_the_guards_first_page(web: Flask, city: Settings, sign_in: SignIn) -> None:
    visit_id = register(city)
    answer(visit_id, VisitState.APPROVED)
    let_in(visit_id)
    guard = sign_in("bao")
    sentence = "1 người vẫn ở trong sau giờ cho phép"
    assert sentence not in guard.get("/").get_data(as_text=True)
    with db.transaction() as session:
        session.execute(update(WalkIn).values(until=now() - timedelta(minutes=1)))
    assert sentence in guard.get("/").get_data(as_text=True)
    assert "Quá giờ" in guard.get(f"/reception/{building()}/inside").get_data(as_text=True)


def test_whoever_was_never_written_out_is_written_out_the_next_day(city: Settings) -> None:
    visit_id = register(city)
    answer(visit_id, VisitState.APPROVED)
    let_in(visit_id)
    with db.transaction() as session:
        assert presence.close_out(session, now=now()) == 0
        assert presence.close_out(session, now=now() + timedelta(days=1)) == 1
        assert presence.close_out(session, now=now() + timedelta(days=1)) == 0
    assert state(visit_id) == VisitState.LEFT


def test_the_desk_the_host_and_the_desk_again_on_their_pages(web: Flask, city: Settings, sign_in: SignIn) -> None:
    guard = sign_in("bao")
    start = f"/reception/{building()}/visits/new"
    assert "Ông Minh" in guard.get(f"{start}?q=minh").get_data(as_text=True)
    path = f"{start}?host={account('minh')}"
    visit_id = hidden(guard, path, "visit")
    form = {"csrf_token": csrf_token(guard, path), "visit": visit_id, "number": NUMBER, "name": "", "purpose": "x"}
    assert guard.post(path, data=form).status_code == 422
    assert guard.post(path, data=form | {"name": "Đỗ Văn Khách"}).status_code == 302
    part = f"/reception/{building()}/visitors"
    assert "Chờ người được gặp" in guard.get(part).get_data(as_text=True)

    host, page = sign_in("minh"), f"/reception/visits/{visit_id}"
    assert page in host.get("/").get_data(as_text=True)
    yes = {"csrf_token": csrf_token(host, page), "answer": "approved", "note": "Mời lên tầng 2"}
    assert host.post(page, data=yes | {"answer": "inside"}).status_code == 422
    assert host.post(page, data=yes).status_code == 302
    assert "Mời lên tầng 2" in guard.get(part).get_data(as_text=True)

    token = {"csrf_token": csrf_token(guard, f"{page}/desk")}
    assert guard.post(f"{page}/in", data=token).status_code == 302
    badge = guard.post(f"{page}/badge", data=token).get_data(as_text=True)
    assert "data:image/png" in badge
    assert "KHÁCH" in badge
    assert NUMBER not in badge
    assert guard.post(f"{page}/out", data=token).status_code == 302
    assert "Đã ra về" in guard.get(part).get_data(as_text=True)


def test_a_badge_that_nobody_has_changes_nothing_at_the_desk_page(web: Flask, city: Settings, sign_in: SignIn) -> None:
    guard, page = sign_in("bao"), f"/reception/{building()}"
    token = {"csrf_token": csrf_token(guard, page), "badge": "5" * 20}
    answered = guard.post(f"{page}/badges", data=token, follow_redirects=True).get_data(as_text=True)
    assert "Không có khách nào mang thẻ này" in answered


@pytest.mark.parametrize("login", ["lan", "minh", "khoa"])
def test_only_a_guard_registers_visitors(web: Flask, city: Settings, sign_in: SignIn, login: str) -> None:
    assert sign_in(login).get(f"/reception/{building()}/visits/new").status_code == 403


def hidden(browser: FlaskClient, path: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', browser.get(path).get_data(as_text=True))
    assert found
    return found.group(1)
