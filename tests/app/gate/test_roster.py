"""The roster of a building: built from valid passes, fetched whole and then by change, unreadable without a pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from app.core import db
from app.core.i18n import CITY_ZONE
from app.core.settings import Settings
from app.core.storage import Storage
from app.gate import publications, roster_building, tasks
from app.gate.models_roster import Roster
from app.meetings import portraits, sealing
from app.meetings.models import Guest, Meeting
from pki.passes import claims, cose, digits, roster
from pki.passes.roster import Record, RosterFlags
from tests.factories import gate, meetings

pytestmark = pytest.mark.usefixtures("city")


def built() -> None:
    tasks.build_rosters(0)


def answer(browser: FlaskClient, **known: str) -> tuple[bytes, int, bytes, bytes]:
    response = browser.get("/gate/roster", query_string=known)
    assert response.status_code == 200, response.text
    header, since, removed, entries = cbor2.loads(response.data)
    return header, since, removed, entries


def read(header: bytes) -> roster.Roster:
    with db.transaction() as session:
        key = load_der_public_key(publications.trust_key_spki(session, now=datetime.now(UTC)))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return roster.verify_header(header, key)


def secret_of(code: str) -> bytes:
    return claims.decode(cose.parse(digits.decode(code)).payload).pass_id


def shown(header: bytes, body: bytes, code: str) -> Record | None:
    found = read(header)
    record = roster.read(found, body).get(roster.index_of(secret_of(code), found.roster_id))
    return roster.unseal(record, secret_of(code), found.roster_id) if record is not None else None


def invited_too(settings: Settings, beside: UUID, name: str) -> str:
    """Invite somebody to the meeting of another guest; return the digits of the code."""
    meeting_id = meetings.guest(beside).meeting_id
    guest_id = meetings.add(meeting_id, meetings.NewGuest(name, f"{name.split()[-1]}@example.vn".lower(), ""))
    meetings.send(meeting_id)
    meetings.run_jobs(settings)
    newest = meetings.passes_of(guest_id)[-1]
    return sealing.open_sealed(settings, newest.id, newest.sealed).digits


def portrait() -> bytes:
    picture = BytesIO()
    Image.effect_noise((600, 800), 90).convert("RGB").save(picture, "JPEG")
    return portraits.prepare(picture.getvalue())


def test_a_tablet_reads_a_guest_with_the_pass_in_hand_portrait_included(web: Flask, settings: Settings) -> None:
    guest_id, code = gate.digits_for(settings)
    with db.transaction() as session:
        guest = session.get_one(Guest, guest_id)
        guest.seat, guest.needs = "B12", "xe lăn"
        session.flush()
        portraits.give(session, Storage(settings.data_dir / "objects"), guest, portrait())
    browser = gate.tablet(web)
    built()
    header, since, _, body = answer(browser)
    record = shown(header, body, code)
    assert since == 0
    assert record is not None
    assert (record.name, record.seat, record.flags) == ("Nguyễn Thị Lan", "B12", RosterFlags.HELP)
    with Image.open(BytesIO(record.portrait)) as picture:
        assert picture.size == portraits.THUMBNAIL
    assert "Nguyễn".encode() not in body
    assert record.portrait[:16] not in body


def test_what_changed_is_fetched_alone_and_what_ended_is_gone(web: Flask, settings: Settings) -> None:
    first_id, first = gate.digits_for(settings)
    second = invited_too(settings, first_id, "Trần Bình")
    browser = gate.tablet(web)
    built()
    before, _, _, body = answer(browser)
    known = {"roster": str(UUID(bytes=read(before).roster_id)), "version": str(read(before).edition.version)}
    assert browser.get("/gate/roster", query_string=known).status_code == 204

    third = invited_too(settings, first_id, "Lê Chi")
    meetings.remove(meetings.guest(first_id).meeting_id, first_id)
    built()
    after, since, removed, entries = answer(browser, **known)
    assert since == int(known["version"])
    assert removed == roster.index_of(secret_of(first), read(after).roster_id)
    records = roster.split(body) | roster.split(entries)
    records.pop(removed)
    whole = roster.join(records)
    assert shown(after, whole, first) is None
    assert [one.name for code in (second, third) if (one := shown(after, whole, code))] == ["Trần Bình", "Lê Chi"]


def test_building_again_without_a_change_makes_no_version(web: Flask, settings: Settings) -> None:
    gate.digits_for(settings)
    browser = gate.tablet(web)
    built()
    first, *_ = answer(browser)
    built()
    assert answer(browser)[0] == first


def test_a_roster_holds_its_building_and_day_alone(web: Flask, settings: Settings) -> None:
    _, code = gate.digits_for(settings)
    _, later = gate.digits_for(settings, meetings.NewGuest("Trần Bình", "binh@example.vn", ""), after=timedelta(days=3))
    here, elsewhere = gate.tablet(web), gate.tablet(web, "Máy 2", building="TTHC")
    built()
    header, _, _, body = answer(here)
    assert shown(header, body, code)
    assert shown(header, body, later) is None
    assert read(answer(elsewhere)[0]).records == 0
    day = datetime.now(UTC).astimezone(CITY_ZONE) + timedelta(days=1)
    assert read(answer(here, day="tomorrow")[0]).day == int(f"{day:%Y%m%d}")


def test_long_texts_beside_a_portrait_cost_the_portrait_and_not_the_guest(web: Flask, settings: Settings) -> None:
    guest_id, code = gate.digits_for(settings)
    with db.transaction() as session:
        guest = session.get_one(Guest, guest_id)
        guest.title, guest.seat, guest.needs, guest.organisation = ("𠮷" * 90,) * 4
        session.flush()
        session.execute(update(Meeting).where(Meeting.id == guest.meeting_id).values(title="𠮷" * 90, host="𠮷" * 90))
        portraits.give(session, Storage(settings.data_dir / "objects"), guest, portrait())
    browser = gate.tablet(web)
    built()
    header, _, _, body = answer(browser)
    record = shown(header, body, code)
    assert record is not None
    assert (record.title, record.portrait) == ("𠮷" * 60, b"")


def test_flags_of_a_capability_above_stand_in_the_record(
    web: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest_id, code = gate.digits_for(settings)
    monkeypatch.setattr(roster_building, "_flags", [])
    roster_building.register_flags(lambda _, asked: {one: RosterFlags.WATCH for one in asked if one == guest_id})
    browser = gate.tablet(web)
    built()
    header, _, _, body = answer(browser)
    record = shown(header, body, code)
    assert record is not None
    assert record.flags == RosterFlags.WATCH


def test_a_stranger_gets_no_roster_and_before_the_first_there_is_none(web: Flask) -> None:
    stranger = web.test_client().get("/gate/roster", headers={"Accept": "application/json"})
    assert stranger.status_code == 401
    browser = gate.tablet(web)
    assert browser.get("/gate/roster").status_code == 204
    assert browser.get("/gate/roster?version=x").status_code == 422
    assert browser.get("/gate/roster?roster=x").status_code == 422


def test_rosters_of_days_that_are_over_are_removed(web: Flask, settings: Settings) -> None:
    gate.digits_for(settings)
    gate.tablet(web)
    built()
    with db.transaction() as session:
        session.execute(update(Roster).values(day=Roster.day - 3))
    built()
    with db.transaction() as session:
        days = session.scalars(select(Roster.day)).all()
    today = datetime.now(UTC).astimezone(CITY_ZONE).date()
    assert set(days) == {today, today + timedelta(days=1)}
