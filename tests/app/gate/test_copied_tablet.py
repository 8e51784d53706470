"""Somebody copies all that lies on a tablet: without a pass in hand it names nobody and shows nobody."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import cbor2
import pytest
from flask import Flask
from sqlalchemy import select

from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from app.gate.models import Device
from app.gate.tasks import build_rosters, publish_lists
from app.meetings import portraits
from app.meetings.models import Guest, Meeting, Pass
from pki.passes import claims, cose, digits, roster
from tests.app.gate.test_roster import invited_too, portrait, read
from tests.factories import gate, meetings

pytestmark = pytest.mark.usefixtures("city")

GUESTS = ("Nguyễn Thị Lan", "Trần Bình", "Lê Hoàng Chi")


@pytest.fixture
def stolen(web: Flask, settings: Settings) -> tuple[list[bytes], list[str]]:
    """What a tablet has fetched for the day, as it stores it, and the codes of the guests on its roster."""
    first_id, code = gate.digits_for(settings, meetings.NewGuest(GUESTS[0], "lan@example.vn", "Công ty Sông Biếc"))
    codes = [code, *(invited_too(settings, first_id, name) for name in GUESTS[1:])]
    with db.transaction() as session:
        for number, guest in enumerate(session.scalars(select(Guest)).all()):
            guest.title, guest.seat, guest.needs = "Giám đốc", f"Hàng ghế danh dự {number}", "xe lăn ở cửa"
            session.flush()
            portraits.give(session, Storage(settings.data_dir / "objects"), guest, portrait())
    browser = gate.tablet(web)
    publish_lists.func(0)
    build_rosters.func(0)
    lists = browser.get("/gate/lists").get_json()
    lists.pop("form_token")
    parts = [base64.b64decode(lists[name]) for name in ("trust_list", "status_list")]
    parts += [base64.b64decode(key) for key in lists["day_keys"].values()]
    return [browser.get("/gate/roster").data, *parts, json.dumps(lists).encode()], codes


def written(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        plain = text.encode(encoding)
        yield plain
        # Base64 of any alignment: its middle is what does not depend on what stands around it.
        yield from (base64.b64encode(bytes(shift) + plain)[4:-4] for shift in range(3))


def test_no_text_or_picture_of_a_guest_stands_in_what_a_tablet_keeps(stolen: tuple[list[bytes], list[str]]) -> None:
    parts, codes = stolen
    with db.transaction() as session:
        guests = session.scalars(select(Guest)).all()
        texts = {
            value for one in guests for value in (one.name, one.title, one.seat, one.needs, one.organisation, one.email)
        }
        texts |= {value for one in session.scalars(select(Meeting)) for value in (one.title, one.host)}
        pictures = [one.thumbnail for one in guests if one.thumbnail]
        rows = [(str(one.id), one.secret_sha256) for one in session.scalars(select(Pass))]
    everything = b"\0".join(parts)
    found = [text for text in texts for form in written(text) if len(form) >= 8 and form in everything]
    assert found == []
    assert len(pictures) == len(GUESTS)
    assert not any(
        picture[at : at + 16] in everything for picture in pictures for at in range(0, len(picture) - 16, 16)
    )
    assert b"WEBP" not in everything
    assert not any(code.encode() in everything or digits.decode(code) in everything for code in codes)
    assert not any(name.encode() in everything or digest in everything for name, digest in rows)


def test_nothing_that_a_tablet_keeps_opens_a_record(stolen: tuple[list[bytes], list[str]]) -> None:
    """Every sixteen octets of all it keeps, and every name it knows, are tried as the secret of a pass."""
    (answer, *parts), codes = stolen
    header, _, _, body = cbor2.loads(answer)
    roster_id = read(header).roster_id
    places = set(roster.split(body))
    assert len(places) == len(GUESTS)
    with db.transaction() as session:
        device = session.scalars(select(Device)).one()
        names = [device.id.bytes, device.checkpoint_id.bytes, (device.token_sha256 or b"")[:16], roster_id, bytes(16)]
    windows = {part[at : at + 16] for part in (header, *parts) for at in range(len(part) - 15)} | set(names)
    assert len(windows) > 1_000
    assert not any(roster.index_of(secret, roster_id) in places for secret in windows)
    # The search can find: with a code in hand the record is there.
    secret = claims.decode(cose.parse(digits.decode(codes[0])).payload).pass_id
    record = roster.split(body)[roster.index_of(secret, roster_id)]
    assert roster.unseal(record, secret, roster_id).name == GUESTS[0]
