"""How guests come in: what the organiser says about it stands in passes, letters and the list, and changes with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app.core import db
from app.core.errors import Invalid
from app.core.settings import Settings
from app.meetings import guest_lists, guests, sealing
from app.meetings.guests import NewGuest
from app.meetings.models import Guest, GuestKind, PassState, Reentry
from app.meetings.service import Entry
from pki.passes import claims, cose, digits
from pki.passes.claims import PassFlags
from pki.passes.lease import Policy
from tests.factories import meetings as made
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def flags_of(settings: Settings, guest_id: UUID) -> PassFlags:
    newest = made.passes_of(guest_id)[-1]
    text = sealing.open_sealed(settings, newest.id, newest.sealed).digits
    return claims.decode(cose.parse(digits.decode(text)).payload).flags


def change(settings: Settings, meeting_id: UUID, entry: Entry) -> None:
    meeting = made.meeting(meeting_id)
    plan = made.plan(after=timedelta(days=2))
    made.change(meeting_id, replace(plan, starts_at=meeting.starts_at, ends_at=meeting.ends_at, entry=entry))
    made.run_jobs(settings)


@pytest.mark.parametrize(
    ("entry", "flags"),
    [
        (Entry(policy=Policy.LENIENT), PassFlags.LENIENT),
        (Entry(rotating=True), PassFlags.ROTATING),
        (Entry(Policy.LENIENT, rotating=True), PassFlags.LENIENT | PassFlags.ROTATING),
    ],
)
def test_what_stands_in_passes_replaces_them_when_it_changes(city: Settings, entry: Entry, flags: PassFlags) -> None:
    meeting_id, guest_id = made.invited(city)
    assert flags_of(city, guest_id) is PassFlags.NONE
    change(city, meeting_id, entry)
    assert [one.state for one in made.passes_of(guest_id)] == [PassState.CHANGED, PassState.VALID]
    assert flags_of(city, guest_id) == flags
    change(city, meeting_id, entry)
    assert len(made.passes_of(guest_id)) == 2


def test_whether_somebody_may_come_back_leaves_the_passes_as_they_are(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    change(city, meeting_id, Entry(reentry=Reentry.FREE))
    assert made.meeting(meeting_id).reentry == Reentry.FREE
    assert len(made.passes_of(guest_id)) == 1


def test_the_form_sets_it_and_shows_it_again(city: Settings, sign_in: SignIn) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    path = f"/meetings/{meeting_id}/edit"
    meeting = made.meeting(meeting_id)
    form = {
        "csrf_token": csrf_token(client, path),
        "title": meeting.title,
        "agency": str(meeting.agency_id),
        "room": str(meeting.room_id),
        "day": f"{meeting.starts_at:%Y-%m-%d}",
        "starts": "08:00",
        "ends": "10:00",
        "host": meeting.host,
        "policy": "lenient",
        "rotating": "y",
        "reentry": "during",
    }
    assert client.post(path, data=form | {"policy": "open"}).status_code == 422
    assert made.meeting(meeting_id).policy == Policy.STRICT
    assert client.post(path, data=form).status_code == 302
    page = client.get(f"/meetings/{meeting_id}").get_data(as_text=True)
    assert "linh hoạt: không ai phải chờ" in page
    assert "mã đổi mỗi nửa phút; được vào lại trong giờ họp" in page
    again = client.get(path).get_data(as_text=True)
    assert again.count(" checked") == 4


def test_post_seat_and_help_stand_on_the_list_and_come_from_a_file(city: Settings, sign_in: SignIn) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    made.add(meeting_id, NewGuest("Trần Bình", "binh@example.vn", "", "Giám đốc", "A12", "xe lăn"))
    page = client.get(f"/meetings/{meeting_id}").get_data(as_text=True)
    assert "Giám đốc, chỗ A12" in page
    assert "Hỗ trợ khi đến: xe lăn" in page
    content = (
        "Họ tên;E-mail;Chức danh;Chỗ ngồi;Cần hỗ trợ\nLê Chi;chi@example.vn;Bà;B1;\nLê Tư;tu@example.vn;;" + "x" * 41
    )
    with db.transaction() as session:
        run = guest_lists.dry_run(session, made.actor("minh"), meeting_id, content.encode())
    assert run.guests == [NewGuest("Lê Chi", "chi@example.vn", "", "Bà", "B1")]
    assert [row.number for row in run.problems] == [3]


def test_a_detail_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid):
        guests.read("Lan", "lan@example.vn", "", "x" * 81)


def test_who_comes_with_a_guest_leaves_the_list_with_them(city: Settings) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    with db.transaction() as session:
        driver = Guest(
            meeting_id=meeting_id,
            name="Phạm Lái",
            email="lai@example.vn",
            organisation="",
            kind=GuestKind.DRIVER,
            of_guest_id=guest_id,
        )
        session.add(driver)
        session.flush()
        driver_id = driver.id
    made.send(meeting_id)
    made.run_jobs(city)
    made.remove(meeting_id, guest_id)
    made.run_jobs(city)
    assert [one.state for one in made.passes_of(driver_id)] == [PassState.WITHDRAWN]
    assert made.guest(driver_id).removed_at is not None
    assert "Huỷ" in str(made.letters_to(driver_id)[-1]["Subject"])
