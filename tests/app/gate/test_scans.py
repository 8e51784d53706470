"""What a gate answers: once for each pass, here and now, and the same when it is asked again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.certificates import register, revocations
from app.core import db
from app.core.settings import Settings
from app.gate import publications
from app.gate.models import Admission, Scan
from app.gate.tasks import publish_lists
from app.meetings.guests import NewGuest
from pki.passes import status, trust_list
from pki.passes.status import PassStatus
from pki.revocation import RevocationReason
from tests.factories import gate, meetings
from tests.factories.certificates import actor


@pytest.fixture
def settings(city: Settings) -> Settings:
    """The settings of the city, whose lists have been published once."""
    publish_lists.func(0)
    return city


def test_a_pass_lets_in_once_and_the_second_scan_says_when_and_where(web: Flask, settings: Settings) -> None:
    _, digits = gate.digits_for(settings)
    first = gate.send(gate.tablet(web), gate.message(digits))
    second = gate.send(gate.tablet(web, "Máy 2", gate="Cổng B"), gate.message(digits))
    assert (first["outcome"], first["reason"]) == ("admit", "admitted")
    assert first["guest"]["name"] == "Nguyễn Thị Lan"
    assert (second["outcome"], second["reason"]) == ("refuse", "already_admitted")
    assert second["facts"]["place"] == "Cổng A"
    assert second["facts"]["time"]


def test_the_same_scan_sent_again_gets_the_same_answer_and_is_recorded_once(web: Flask, settings: Settings) -> None:
    _, digits = gate.digits_for(settings)
    browser, body = gate.tablet(web), gate.message(digits)
    answers = [gate.send(browser, body)["outcome"] for _ in range(3)]
    with db.transaction() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Admission, Scan)]
    assert answers == ["admit"] * 3
    assert counts == [1, 1]


def test_forty_scans_at_eight_gates_at_once_admit_one(web: Flask, settings: Settings) -> None:
    _, digits = gate.digits_for(settings)
    tablets = [gate.tablet(web, f"Máy {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: gate.send(tablets[n % 8], gate.message(digits))["outcome"], range(40)))
    assert answers.count("admit") == 1
    assert answers.count("refuse") == 39


def test_a_pass_of_another_building_or_day_is_refused_and_names_the_place(web: Flask, settings: Settings) -> None:
    _, here = gate.digits_for(settings)
    _, later = gate.digits_for(settings, NewGuest("Lê Tám", "tam@example.vn", ""), after=timedelta(days=3))
    elsewhere = gate.send(gate.tablet(web, building="TTHC"), gate.message(here))
    another_day = gate.send(gate.tablet(web), gate.message(later))
    assert elsewhere["reason"] == "wrong_building"
    assert "27 Đường Bến Đỏ" in elsewhere["facts"]["place"]
    assert another_day["reason"] == "wrong_day"


def test_a_withdrawn_pass_is_refused_at_once(web: Flask, settings: Settings) -> None:
    guest_id, digits = gate.digits_for(settings)
    meetings.remove(meetings.guest(guest_id).meeting_id, guest_id)
    assert gate.send(gate.tablet(web), gate.message(digits))["reason"] == "withdrawn"


def test_passes_of_an_agency_whose_key_was_revoked_are_refused_at_once(web: Flask, settings: Settings) -> None:
    _, digits = gate.digits_for(settings)
    browser, now = gate.tablet(web), datetime.now(UTC)
    with db.transaction() as session:
        signer = next(one for one in register.pass_signers(session, now=now) if one.agency.code == "H99.02")
        revocations.revoke(
            session, actor("oanh"), signer.certificate.id, reason=RevocationReason.KEY_COMPROMISE, now=now
        )
    assert gate.send(browser, gate.message(digits))["reason"] == "agency_key_ended"


def test_what_is_no_pass_is_recorded_and_shows_nobody(web: Flask, settings: Settings) -> None:
    _, digits = gate.digits_for(settings)
    browser = gate.tablet(web)
    forged = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    for text, reason in (
        (forged, "forged"),
        ("https://example.vn", "not_ours"),
        ("", "not_ours"),
        ("79" * 500, "forged"),
    ):
        answer = gate.send(browser, gate.message(text))
        assert (answer["outcome"], answer["reason"], answer["guest"]) == ("refuse", reason, None)


@pytest.mark.parametrize(
    "broken",
    [
        [],
        {},
        "x",
        {"scan_id": "x"},
        {"digits": 7},
        {"digits": "7" * 2_001},
        {"scanned_at": "2026-11-22T00:00:00"},
        {"scanned_at": "then"},
        {"outcome": "open"},
        {"reason": None},
    ],
)
def test_a_message_that_cannot_be_read_is_a_clear_refusal(web: Flask, settings: Settings, broken: object) -> None:
    body = gate.message("791") | broken if isinstance(broken, dict) and broken else broken
    assert gate.send(gate.tablet(web), body)["status_code"] == 422


def test_a_portrait_is_shown_to_the_tablet_that_scanned_and_to_no_other(web: Flask, settings: Settings) -> None:
    guest_id, digits = gate.digits_for(settings)
    with db.transaction() as session:
        from app.core.storage import Storage
        from app.meetings.models import Guest

        portrait = Storage(settings.data_dir / "objects").put(b"RIFF portrait")
        session.get_one(Guest, guest_id).portrait_sha256 = portrait
    browser, scan_id = gate.tablet(web), uuid4()
    answer = gate.send(browser, gate.message(digits, scan_id))
    assert browser.get(answer["portrait_url"]).data == b"RIFF portrait"
    assert gate.tablet(web, "Máy 2").get(answer["portrait_url"]).status_code == 404
    assert web.test_client().get(answer["portrait_url"], headers={"Accept": "application/json"}).status_code == 401


def test_the_guards_answer_about_a_face_is_kept_for_that_scan_alone(web: Flask, settings: Settings) -> None:
    _, digits = gate.digits_for(settings)
    browser, scan_id = gate.tablet(web), uuid4()
    gate.send(browser, gate.message(digits, scan_id))
    token = browser.get("/gate/lists").get_json()["form_token"]
    path, headers = f"/gate/scans/{scan_id}/face", {"X-CSRFToken": token}
    assert browser.post(path, json={"matches": "yes"}, headers=headers).status_code == 422
    assert browser.post(path, json={"matches": False}, headers=headers).status_code == 204
    other = gate.tablet(web, "Máy 2")
    token = other.get("/gate/lists").get_json()["form_token"]
    assert other.post(path, json={"matches": True}, headers={"X-CSRFToken": token}).status_code == 404
    with db.transaction() as session:
        assert session.get_one(Scan, scan_id).face == "mismatch"


def test_the_published_lists_name_the_signers_and_what_was_withdrawn(web: Flask, settings: Settings) -> None:
    guest_id, _ = gate.digits_for(settings)
    meetings.remove(meetings.guest(guest_id).meeting_id, guest_id)
    publish_lists.func(0)
    now = datetime.now(UTC)
    with db.transaction() as session:
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        key = load_der_public_key(publications.trust_key_spki(session, now=now))
        trust, statuses = publications.newest(session)
    signers = trust_list.verify(trust, key).signers  # type: ignore[arg-type]  # the city's key is on P-256
    read = status.verify(statuses, key)  # type: ignore[arg-type]  # the city's key is on P-256
    assert {one.agency_code for one in signers} >= {"H99.01", "H99.02"}
    assert read.look_up(meetings.passes_of(guest_id)[-1].status_index) is PassStatus.WITHDRAWN
    assert read.edition.version == 2
