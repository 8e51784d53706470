"""How many an officer and an agency may approve, and what happens over it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.alarms import service as alarms
from app.approvals import pauses, policy, service
from app.approvals.models import ApprovalPause
from app.approvals.policy import Policy, Rate
from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Forbidden, NotFound, TooMany
from tests.app.approvals.conftest import NOW, City

HOUR = timedelta(hours=1)


def take(city: City, login: str, agency: UUID | None = None, *, count: int = 1, later: timedelta = timedelta()) -> None:
    with db.transaction() as session:
        service.check_rate(session, city.actor(login), "certificate_approval", agency, count, NOW + later)


def only_pause() -> ApprovalPause:
    with db.transaction() as session:
        return session.scalars(select(ApprovalPause)).one()


def test_an_officer_approves_twenty_an_hour_and_is_paused_at_the_next(city: City) -> None:
    for _ in range(20):
        take(city, "dang")
    with pytest.raises(TooMany):
        take(city, "dang")
    with pytest.raises(Forbidden, match="paused"):
        take(city, "dang", later=2 * HOUR)
    take(city, "hoa")


def test_an_agency_is_paused_for_everybody_over_its_day(city: City) -> None:
    policy.use(Policy(agency=Rate(2, timedelta(days=1))))
    take(city, "dang", city.ward)
    take(city, "hoa", city.ward)
    with pytest.raises(TooMany, match="agency"):
        take(city, "dang", city.ward)
    with pytest.raises(Forbidden, match="this agency is paused"):
        take(city, "hoa", city.ward)
    take(city, "dang", city.harbour)


def test_more_at_once_than_the_whole_rate_is_refused(city: City) -> None:
    with pytest.raises(TooMany):
        take(city, "dang", count=21)


def test_the_pause_the_alarm_and_the_log_stay_although_the_act_is_refused(city: City) -> None:
    policy.use(Policy(officer=Rate(1, HOUR)))
    take(city, "dang")
    with pytest.raises(TooMany):
        take(city, "dang")
    assert only_pause().account_id == city.actor("dang").account_id
    with db.transaction() as session:
        [alarm] = alarms.open_alarms(session, city.actor("hoa"))
        logged = session.scalar(select(func.count()).where(AuditEntry.act == "approval_paused"))
    assert (alarm.kind, alarm.count, logged) == ("officer_over_rate", 1, 1)


def test_another_administrator_lifts_the_pause(city: City) -> None:
    policy.use(Policy(officer=Rate(1, HOUR)))
    take(city, "dang")
    with pytest.raises(TooMany):
        take(city, "dang")
    with db.transaction() as session:
        pauses.lift(session, city.actor("hoa"), only_pause().id, now=NOW)
    take(city, "dang", later=HOUR)


def test_nobody_lifts_their_own_pause_and_no_officer_lifts_any(city: City) -> None:
    policy.use(Policy(officer=Rate(1, HOUR)))
    take(city, "hoa")
    with pytest.raises(TooMany):
        take(city, "hoa")
    pause = only_pause()
    with pytest.raises(Forbidden, match="own"), db.transaction() as session:
        pauses.lift(session, city.actor("hoa"), pause.id, now=NOW)
    for login in ("dang", "bien", "kiem"):
        with pytest.raises(NotFound), db.transaction() as session:
            pauses.lift(session, city.actor(login), pause.id, now=NOW)


@pytest.mark.usefixtures("kind")
def test_a_paused_officer_approves_no_act_either(city: City) -> None:
    policy.use(Policy(officer=Rate(1, HOUR)))
    take(city, "tam")
    with pytest.raises(TooMany):
        take(city, "tam")
    with db.transaction() as session:
        asked = {"agency_id": None, "object_kind": "thing", "object_id": "1", "now": NOW}
        act = service.request(session, city.actor("hoa"), "mark", {}, **asked)
    with pytest.raises(Forbidden, match="paused"), db.transaction() as session:
        service.approve(session, city.actor("tam"), act.id, digest=act.digest_hex, now=NOW)


def test_a_command_takes_its_policy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYVAO_RATES", "officer=5")
    monkeypatch.setenv("KYVAO_APPROVERS", "release=2")
    policy.use(None)
    found = policy.current()
    assert (found.officer.limit, found.agency.limit, found.approvers) == (5, 500, {"release": 2})
