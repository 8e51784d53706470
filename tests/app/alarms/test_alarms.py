"""Alarms: raised once, counted while open, closed by an administrator."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.alarms import service, tasks
from app.alarms.words import KINDS
from app.core import db
from app.core.errors import NotFound
from app.core.settings import Settings
from app.notices.models import Notice, NoticeState
from tests.app.approvals.conftest import NOW, City, city

ROOT = Path(__file__).parent.parent.parent.parent

__all__ = ["city"]


def raise_one(object_id: str = "1") -> None:
    with db.transaction() as session:
        service.raise_alarm(session, "crl_stale", object_kind="shard", object_id=object_id, minutes=5)


def letters_queued() -> int:
    with db.transaction() as session:
        query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'alarms.tell'")
        return int(session.execute(query).scalar_one())


def test_what_goes_on_is_counted_and_told_once(city: City) -> None:
    raise_one()
    raise_one()
    raise_one("2")
    with db.transaction() as session:
        found = {alarm.object_id: alarm.count for alarm in service.open_alarms(session, city.actor("hoa"))}
    assert found == {"1": 2, "2": 1}
    assert letters_queued() == 2


def test_after_closing_the_next_occurrence_is_a_new_alarm(city: City) -> None:
    raise_one()
    with db.transaction() as session:
        [alarm] = service.open_alarms(session, city.actor("hoa"))
        service.close(session, city.actor("hoa"), alarm.id, now=NOW)
        again = service.close(session, city.actor("tam"), alarm.id, now=NOW)
        assert again.closed_by == city.actor("hoa").account_id
    raise_one()
    with db.transaction() as session:
        [new] = service.open_alarms(session, city.actor("hoa"))
    assert (new.id != alarm.id, new.count) == (True, 1)


def test_an_auditor_reads_alarms_and_closes_none(city: City) -> None:
    raise_one()
    with db.transaction() as session:
        [alarm] = service.open_alarms(session, city.actor("kiem"))
    with pytest.raises(NotFound), db.transaction() as session:
        service.close(session, city.actor("kiem"), alarm.id, now=NOW)


def test_an_alarm_of_another_agency_is_not_seen(city: City) -> None:
    with db.transaction() as session:
        service.raise_alarm(session, "crl_stale", object_kind="shard", object_id="1", agency_id=city.ward)
        assert service.open_alarms(session, city.actor("bien")) == []
        assert service.count_open(session, city.actor("hoa")) == 1


def test_every_kind_of_alarm_that_is_raised_has_words() -> None:
    raised: set[str] = set()
    for path in ROOT.glob("app/**/*.py"):
        raised |= set(re.findall(r'raise_alarm\(\s*\w+,\s*"(\w+)"', path.read_text()))
    assert raised <= set(KINDS), raised - set(KINDS)


def test_each_administrator_who_may_close_it_gets_one_letter(
    city: City, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYVAO_DATABASE_URL", settings.database_url or "")
    with db.transaction() as session:
        service.raise_alarm(session, "crl_stale", object_kind="shard", object_id="1", agency_id=city.harbour)
        [alarm] = service.open_alarms(session, city.actor("hoa"))
    tasks.tell.func(str(alarm.id))
    tasks.tell.func(str(alarm.id))
    with db.transaction() as session:
        waits = session.scalars(select(Notice).where(Notice.state == NoticeState.QUEUED)).all()
    assert sorted(notice.recipient for notice in waits) == [
        f"{login}@example.com" for login in ("ba", "bien", "hoa", "tam")
    ]
    message = message_from_bytes(waits[0].mime, policy=SMTP)
    assert "past the middle of its life" in message.get_content()
    assert "/alarms/" in message.get_content()


def test_a_closed_alarm_is_not_told(city: City, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYVAO_DATABASE_URL", settings.database_url or "")
    raise_one()
    with db.transaction() as session:
        [alarm] = service.open_alarms(session, city.actor("hoa"))
        service.close(session, city.actor("hoa"), alarm.id, now=NOW)
    tasks.tell.func(str(alarm.id))
    with db.transaction() as session:
        assert session.scalars(select(Notice)).all() == []


def test_the_page_names_the_officer_and_closes_the_alarm(city: City, sign_in: Callable[[str], FlaskClient]) -> None:
    with db.transaction() as session:
        officer = city.actor("dang").account_id
        service.raise_alarm(session, "officer_over_rate", object_kind="account", object_id=officer)
        [alarm] = service.open_alarms(session, city.actor("hoa"))
    reader, client = sign_in("kiem"), sign_in("hoa")
    page = reader.get("/alarms/").get_data(as_text=True)
    assert "Lê Dang" in page
    assert f"/alarms/{alarm.id}/close" not in page
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/alarms/").get_data(as_text=True))
    assert token
    assert client.post(f"/alarms/{alarm.id}/close", data={"csrf_token": token.group(1)}).status_code == 302
    with db.transaction() as session:
        assert service.open_alarms(session, city.actor("hoa")) == []
    assert reader.post(f"/alarms/{alarm.id}/close", data={"csrf_token": token.group(1)}).status_code in {400, 403}
