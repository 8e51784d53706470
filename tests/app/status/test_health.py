"""The look from outside, on the real service: what is fine, what is near its end, what is wrong, and who is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.alarms.models import Alarm
from app.certificates.models import Certificate
from app.core import db
from app.core.permissions import Role
from app.core.settings import Settings
from app.status import responders, service
from app.status.commands import status
from app.status.expected import Expected, expected
from app.status.findings import Finding, Judgement, Kind, by_age, by_days_left, wrong
from app.status.health_words import in_words
from app.status.look import Outside
from app.status.models import HealthCheck
from pki.profiles import ProfileName
from tests.app.status.conftest import Running
from tests.factories.officers import officer

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def wanted() -> Expected:
    with db.transaction() as session:
        return expected(session, now=datetime.now(UTC))


def look(running: Running, later: timedelta = timedelta(), **changes: object) -> dict[str, Finding]:
    seen = replace(wanted(), **changes)  # type: ignore[arg-type]  # the test names the field
    outside = Outside(running.url, seen, lambda: datetime.now(UTC) + later)
    return {one.target: one for one in outside.findings()}


def test_everything_of_a_new_city_is_fine(running: Running) -> None:
    found = look(running)
    assert {one.judgement for one in found.values()} == {Judgement.FINE}
    assert {one.kind for one in found.values()} == set(Kind)
    assert found["ocsp/issuing_services"].detail == "good"


def test_a_list_is_noticed_before_it_is_stale_and_when_it_is(running: Running) -> None:
    target = f"crl/issuing_services/{running.certificate.shard}"
    assert look(running, timedelta(hours=35))[target].judgement is Judgement.FINE
    assert look(running, timedelta(hours=37))[target].judgement is Judgement.SOON
    assert look(running, timedelta(hours=49))[target].judgement is Judgement.WRONG


def test_a_list_older_than_the_registers_is_wrong(running: Running) -> None:
    authorities = tuple(replace(one, lists={"0": 99}) for one in wanted().authorities)
    assert look(running, authorities=authorities)["crl/root/0"].judgement is Judgement.WRONG


def test_a_certificate_that_the_service_does_not_know_is_wrong(running: Running) -> None:
    authorities = tuple(replace(one, known_serial=b"\x01strange") for one in wanted().authorities)
    assert look(running, authorities=authorities)["ocsp/root"].detail == "a certificate in the register is unknown"


def test_an_answer_of_another_authority_is_wrong(running: Running) -> None:
    by_name = {one.name: one for one in wanted().authorities}
    swapped = replace(by_name["issuing_services"], certificate_der=by_name["root"].certificate_der)
    found = look(running, authorities=(swapped,))
    assert found["ca/issuing_services"].judgement is Judgement.WRONG
    assert found["crl/issuing_services/0"].judgement is Judgement.WRONG
    assert found["ocsp/issuing_services"].judgement is Judgement.WRONG


def test_a_clock_that_is_off_is_wrong(running: Running) -> None:
    assert look(running, timedelta(seconds=5))["tsa"].judgement is Judgement.WRONG


def test_a_service_that_does_not_answer_is_said_to_be_unreachable(running: Running) -> None:
    found = {one.target: one for one in Outside("http://127.0.0.1:1", wanted()).findings()}
    assert found["tsa"].detail.startswith("no answer")
    assert found["service"].judgement is Judgement.WRONG


@pytest.mark.parametrize(
    ("age", "judgement"),
    [
        (timedelta(0), Judgement.FINE),
        (timedelta(minutes=44, seconds=59), Judgement.FINE),
        (timedelta(minutes=45), Judgement.SOON),
        (timedelta(minutes=59, seconds=59), Judgement.SOON),
        (timedelta(hours=1), Judgement.WRONG),
    ],
)
def test_what_lives_an_hour_is_noticed_at_three_quarters(age: timedelta, judgement: Judgement) -> None:
    found = by_age("x", Kind.OCSP, "good", NOW - age, NOW - age + timedelta(hours=1), NOW)
    assert found.judgement is judgement


def test_a_responder_with_less_than_ten_days_is_noticed() -> None:
    least = timedelta(days=10)
    assert by_days_left("x", Kind.RESPONDER, NOW + least, least, NOW).judgement is Judgement.FINE
    assert by_days_left("x", Kind.RESPONDER, NOW + least - timedelta(seconds=1), least, NOW).judgement is Judgement.SOON
    assert by_days_left("x", Kind.RESPONDER, None, least, NOW).judgement is Judgement.WRONG


def test_an_alarm_is_raised_the_second_time_and_once(database: str) -> None:
    bad = wrong("crl/root/0", Kind.LIST, "no. 1, stale")
    for times in range(3):
        with db.transaction() as session:
            service.record(session, [bad], now=NOW + timedelta(minutes=times))
            assert len(session.scalars(select(Alarm)).all()) == min(times, 1)
    with db.transaction() as session:
        (alarm,) = session.scalars(select(Alarm))
        assert (alarm.kind, alarm.object_id) == ("crl_stale", "crl/root/0")


def test_what_is_not_looked_at_any_more_is_forgotten(database: str) -> None:
    with db.transaction() as session:
        service.record(session, [wrong("crl/old/0", Kind.LIST, "x")], now=NOW)
        service.record(session, [wrong("crl/new/0", Kind.LIST, "x")], now=NOW + timedelta(minutes=1))
        assert session.scalars(select(HealthCheck.target)).all() == ["crl/new/0"]


def test_the_command_prints_a_line_for_each_thing_and_fails_when_one_is_wrong(
    running: Running, monkeypatch: pytest.MonkeyPatch, database_url: str, settings: Settings, open_again: None
) -> None:
    monkeypatch.setenv("KYVAO_DATABASE_URL", database_url)
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    done = CliRunner().invoke(status, ["check", "--url", running.url])
    assert (done.exit_code, done.exception is None or isinstance(done.exception, SystemExit)) == (0, True)
    assert "FINE  tsa" in done.output
    failed = CliRunner().invoke(status, ["check", "--url", "http://127.0.0.1:1", "--json"])
    assert failed.exit_code == 1
    assert {json.loads(line)["state"] for line in failed.output.splitlines()} == {"wrong", "fine"}


@pytest.fixture
def open_again(database_url: str) -> Iterator[None]:
    """The command closes the connections of this process as it ends."""
    yield
    db.configure(database_url)


def test_administrators_and_auditors_see_the_health_and_nobody_else(
    client: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    for login, role in (("admin", Role.ADMINISTRATOR), ("auditor", Role.AUDITOR), ("tam", Role.REGISTRATION_OFFICER)):
        officer(login, None, role)
    with db.transaction() as session:
        service.record(session, [wrong("crl/root/0", Kind.LIST, "no. 7, stale")], now=datetime.now(UTC))
    for login in ("admin", "auditor"):
        page = sign_in(login).get("/authority/health/")
        assert page.status_code == 200
        assert "crl/root/0" in page.text
        assert "số 7, đã quá cũ" in page.text
    assert sign_in("tam").get("/authority/health/").status_code == 403
    assert client.get("/authority/health/").status_code in {302, 401}


def test_whatever_a_new_city_shows_has_words_of_its_own(web: Flask, running: Running) -> None:
    found = {one.detail for one in look(running).values()}
    with web.test_request_context():
        said = {detail: in_words(detail) for detail in found}
    assert len(found) > 3
    assert not [detail for detail, words in said.items() if "“" in words], said


def test_a_responder_is_renewed_fifteen_days_before_its_end_and_taken_up(running: Running, settings: Settings) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        assert responders.due(session, now=now + timedelta(days=29)) == []
        due = responders.due(session, now=now + timedelta(days=31))
        assert len(due) == 6
        made = responders.renew(session, settings, due[0], now=now + timedelta(days=31))
        assert made is not None
        assert responders.renew(session, settings, due[0], now=now + timedelta(days=31)) is None
    with db.transaction() as session:
        query = select(Certificate).where(Certificate.profile == ProfileName.OCSP_RESPONDER)
        assert len(session.scalars(query).unique().all()) == 7
