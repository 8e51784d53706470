"""Codes that change, from the guest's page to the gate: the page lets in, a picture of it and the paper do not."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from app.core.settings import Settings
from app.gate.tasks import publish_lists
from app.meetings.models import Meeting
from pki.passes import digits, qr, rotating
from tests.factories import gate, meetings
from tests.factories.meetings import LAN


@pytest.fixture
def guest(city: Settings) -> UUID:
    """A guest of a meeting that begins now and whose codes change."""
    publish_lists.func(0)
    meeting_id = meetings.call(meetings.plan(after=timedelta(0)))
    with db.transaction() as session:
        session.get_one(Meeting, meeting_id).rotating = True
    guest_id = meetings.add(meeting_id, LAN)
    meetings.send(meeting_id)
    meetings.run_jobs(city)
    publish_lists.func(0)
    return guest_id


def page(client: FlaskClient, guest_id: UUID) -> tuple[str, str, bytes]:
    """Return the guest's page, the digits of the pass, and the key that its script makes codes with."""
    shown = client.get(meetings.page_of(meetings.letters_to(guest_id)[0])).get_data(as_text=True)
    found = re.search(r'data-digits="(\d+)" data-key="([^"]+)"', shown)
    assert found is not None
    return shown, found.group(1), base64.b64decode(found.group(2))


def test_the_page_lets_in_and_a_picture_of_two_minutes_ago_does_not(
    web: Flask, client: FlaskClient, guest: UUID
) -> None:
    _, pass_digits, key = page(client, guest)
    token, now = digits.decode(pass_digits), datetime.now(UTC)
    old = rotating.show(token, key, now - timedelta(minutes=2))
    tablet = gate.tablet(web)
    assert gate.send(tablet, gate.message(old))["reason"] == "old_code"
    assert gate.send(tablet, gate.message(pass_digits))["reason"] == "old_code"
    answer = gate.send(tablet, gate.message(rotating.show(token, key, datetime.now(UTC))))
    assert (answer["outcome"], answer["reason"]) == ("admit", "admitted")


def test_without_script_the_page_shows_the_code_of_the_moment(client: FlaskClient, guest: UUID) -> None:
    before = datetime.now(UTC)
    shown, pass_digits, key = page(client, guest)
    token = digits.decode(pass_digits)
    # A half minute may have begun in between.
    drawn = {qr.render_svg(rotating.show(token, key, moment)) for moment in (before, datetime.now(UTC))}
    assert any(one in shown for one in drawn)
    assert "ngay trước cổng" in shown


def test_the_letter_holds_no_code_and_sends_to_the_page(client: FlaskClient, guest: UUID) -> None:
    letter = meetings.letters_to(guest)[0]
    assert all(part.get_content_type() != "image/png" for part in letter.walk())
    html = letter.get_body(("html",))
    assert html is not None
    assert "đổi mỗi nửa phút" in html.get_content()
    assert "cid:code" not in html.get_content()
