"""Alarms: raised once, counted while open, closed by an administrator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from app.alarms import service
from app.alarms.words import KINDS
from app.core import db
from app.core.errors import NotFound
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
