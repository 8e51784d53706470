"""The roll of an evacuation: begun once, marked by several wardens in any order, no mark lost, sealed for phones."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select

from app.core import db
from app.core.errors import NotFound
from app.core.settings import Settings
from app.reception import roll_call, roll_sheet
from app.reception.models import Mark, RollCall, RollMark
from app.reception.roll_call import SentMark
from tests.app.reception.test_desk import building, count_of, guard_of, let_in, let_out, now
from tests.factories import gate
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def sent(person_id: UUID, mark: Mark, at: datetime, *, mark_id: UUID | None = None) -> SentMark:
    return SentMark(mark_id or uuid4(), building(), person_id, mark, at)


def merge(*marks: SentMark, by: str = "bao", at: datetime | None = None) -> list[UUID]:
    with db.transaction() as session:
        return roll_call.merge(session, actor(by), marks, now=at or now())


def start(at: datetime | None = None) -> UUID:
    with db.transaction() as session:
        return roll_call.start(session, actor("bao"), building(), now=at or now()).id


def end(roll_call_id: UUID, at: datetime | None = None) -> None:
    with db.transaction() as session:
        roll_call.end(session, actor("bao"), roll_call_id, now=at or now())


def lines(roll_call_id: UUID) -> dict[UUID, Mark | None]:
    with db.transaction() as session:
        found = roll_call.lines(session, session.get_one(RollCall, roll_call_id))
    return {line.person_id: line.mark for line in found}


def rolls() -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(RollCall)) or 0


def somebody_inside(city: Settings) -> UUID:
    guest_id, _ = gate.digits_for(city)
    let_in(guest_id)
    return guest_id


def test_two_people_who_start_an_evacuation_start_one(city: Settings) -> None:
    guest_id = somebody_inside(city)
    first = start()
    assert start() == first
    assert lines(first) == {guest_id: None}
    assert count_of("roll_call_started") == 1


def test_marks_count_the_same_in_whatever_order_they_arrive_and_none_is_lost(city: Settings) -> None:
    guest_id, began = somebody_inside(city), now()
    marks = [
        sent(guest_id, Mark.MISSING, began),
        sent(guest_id, Mark.SAFE, began + timedelta(seconds=2)),
        sent(guest_id, Mark.NOT_INSIDE, began + timedelta(seconds=1)),
    ]
    roll_call_id = start(began)
    for order in permutations(marks):
        with db.transaction() as session:
            session.execute(delete(RollMark))
        for one, by in zip(order, ("bao", "oanh", "bao"), strict=True):
            merge(one, by=by)
        assert lines(roll_call_id) == {guest_id: Mark.SAFE}
        with db.transaction() as session:
            assert session.scalar(select(func.count()).select_from(RollMark)) == 3
            line = roll_call.lines(session, session.get_one(RollCall, roll_call_id))[0]
            assert (line.marks, line.disputed) == (3, True)


def test_marks_sent_again_change_nothing_also_long_after_the_roll(city: Settings) -> None:
    guest_id = somebody_inside(city)
    mark = sent(guest_id, Mark.SAFE, now())
    assert merge(mark) == merge(mark) == [mark.id]
    with db.transaction() as session:
        roll_call_id = session.scalars(select(RollCall.id)).one()
    end(roll_call_id)
    assert merge(mark, at=now() + timedelta(days=30)) == [mark.id]
    assert (rolls(), count_of("roll_marked")) == (1, 1)


def test_marks_without_a_roll_begin_one_and_late_ones_join_the_roll_that_they_were_made_in(city: Settings) -> None:
    guest_id, began = somebody_inside(city), now()
    merge(sent(guest_id, Mark.MISSING, began))
    with db.transaction() as session:
        first = session.scalars(select(RollCall.id)).one()
    end(first, began + timedelta(minutes=30))
    merge(sent(guest_id, Mark.SAFE, began + timedelta(minutes=10)), at=began + timedelta(minutes=40))
    assert lines(first) == {guest_id: Mark.SAFE}
    merge(sent(guest_id, Mark.MISSING, began + timedelta(hours=3)), at=began + timedelta(hours=3))
    assert rolls() == 2
    assert lines(first) == {guest_id: Mark.SAFE}


def test_a_phone_with_a_clock_far_ahead_does_not_decide_for_ever(city: Settings) -> None:
    guest_id, began = somebody_inside(city), now()
    roll_call_id = start(began)
    merge(sent(guest_id, Mark.MISSING, began + timedelta(days=400)))
    merge(sent(guest_id, Mark.SAFE, began + timedelta(minutes=5)), at=began + timedelta(minutes=5))
    assert lines(roll_call_id) == {guest_id: Mark.SAFE}


def test_a_warden_of_another_agency_starts_and_marks_nothing(city: Settings) -> None:
    guest_id, stranger = somebody_inside(city), guard_of("H99.03")
    roll_call_id = start()
    with db.transaction() as session:
        for call in (
            lambda: roll_call.start(session, stranger, building(), now=now()),
            lambda: roll_call.find(session, stranger, roll_call_id),
            lambda: roll_call.end(session, stranger, roll_call_id, now=now()),
            lambda: roll_call.merge(session, stranger, [sent(guest_id, Mark.SAFE, now())], now=now()),
        ):
            with pytest.raises(NotFound):
                call()
        sheet = roll_sheet.make(session, city, stranger, again=False, now=now())
    assert opened(sheet.to_json())["buildings"] == []


def test_a_mark_about_somebody_who_was_never_here_shows_no_name(city: Settings) -> None:
    elsewhere = somebody_inside(city)
    other = building("TTHC")
    with db.transaction() as session:
        mark = SentMark(uuid4(), other, elsewhere, Mark.MISSING, now())
        roll_call.merge(session, actor("bao"), [mark], now=now())
        roll = roll_call.running(session, other)
        assert roll is not None
        assert [line.name for line in roll_call.lines(session, roll)] == ["–"]


def test_the_sheet_opens_with_its_key_alone_and_the_first_fetching_is_written_down(city: Settings) -> None:
    somebody_inside(city)
    with db.transaction() as session:
        sheet = roll_sheet.make(session, city, actor("bao"), again=False, now=now())
        again = roll_sheet.make(session, city, actor("bao"), again=True, now=now())
        other = roll_sheet.make(session, city, actor("oanh"), again=True, now=now())
    assert "Nguyễn" not in json.dumps(sheet.to_json())
    names = [one["name"] for place in opened(sheet.to_json())["buildings"] for one in place["people"]]
    assert names == ["Nguyễn Thị Lan"]
    assert sheet.key == again.key != other.key
    with pytest.raises(InvalidTag):
        opened(sheet.to_json() | {"key": other.to_json()["key"]})
    assert count_of("presence_viewed") == 2


def test_a_sheet_that_has_not_changed_is_not_sent_again_and_any_change_sends_it(city: Settings) -> None:
    def tell(have: str) -> str | None:
        with db.transaction() as session:
            made = roll_sheet.make(session, city, actor("bao"), again=True, now=now(), have=have)
        return made.tag if made else None

    guest_id = somebody_inside(city)
    tags = [tell("")]
    for change in (
        start,
        lambda: merge(sent(guest_id, Mark.SAFE, now())),
        lambda: merge(sent(guest_id, Mark.MISSING, now())),
        lambda: let_out(guest_id),
    ):
        assert tell(tags[-1] or "") is None
        change()
        tags.append(tell(tags[-1] or ""))
    assert None not in tags
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("hour", "ends"), [("05:59", "06:00"), ("06:00", "18:00"), ("17:59", "18:00"), ("18:00", "06:00")]
)
def test_the_key_of_a_phone_ends_with_the_shift(city: Settings, hour: str, ends: str) -> None:
    moment = datetime.fromisoformat(f"2026-11-23T{hour}:00+07:00").astimezone(UTC)
    with db.transaction() as session:
        before = roll_sheet.make(session, city, actor("bao"), again=True, now=moment)
    assert f"T{ends}:00" in before.to_json()["until"]
    assert timedelta() < before.until - moment <= timedelta(hours=12)


def test_the_pages_of_a_roll_from_the_start_to_the_table(web: Flask, city: Settings, sign_in: SignIn) -> None:
    guest_id, warden = somebody_inside(city), sign_in("bao")
    begin = f"/reception/{building()}/evacuation"
    shown = warden.post(begin, data={"csrf_token": csrf_token(warden, begin)}).headers["Location"]
    assert warden.get(begin).headers["Location"] == shown
    token = warden.get("/reception/roll-call/sheet").get_json()["formToken"]
    mark = {"id": str(uuid4()), "buildingId": str(building()), "personId": str(guest_id), "mark": "safe"}
    body = {"marks": [mark | {"at": now().isoformat()}]}
    answer = warden.post("/reception/roll-call/marks", json=body, headers={"X-CSRFToken": token})
    assert answer.get_json() == {"kept": [mark["id"]]}
    assert "An toàn" in warden.get(shown).get_data(as_text=True)
    table = warden.get(f"{shown}/export.csv")
    assert "Nguyễn Thị Lan" in table.get_data(as_text=True)
    ended = warden.post(f"{shown}/end", data={"csrf_token": token}, follow_redirects=True)
    assert "Đã kết thúc sơ tán" in ended.get_data(as_text=True)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"marks": "x"},
        {"marks": [1]},
        {"marks": [{"id": "x"}]},
        {
            "marks": [
                {"id": str(uuid4()), "buildingId": str(uuid4()), "personId": str(uuid4()), "mark": "gone", "at": "x"}
            ]
        },
    ],
)
def test_what_is_no_list_of_marks_is_answered_and_changes_nothing(
    web: Flask, city: Settings, sign_in: SignIn, body: Any
) -> None:
    warden = sign_in("bao")
    token = warden.get("/reception/roll-call/sheet").get_json()["formToken"]
    answer = warden.post("/reception/roll-call/marks", json=body, headers={"X-CSRFToken": token})
    assert (answer.status_code, rolls()) == (422, 0)


def test_the_page_holds_nobody_and_the_sheet_is_for_wardens(web: Flask, city: Settings, sign_in: SignIn) -> None:
    somebody_inside(city)
    stranger = web.test_client()
    page = stranger.get("/reception/roll-call")
    assert (page.status_code, "Nguyễn" in page.get_data(as_text=True)) == (200, False)
    assert stranger.get("/reception/roll-call/sheet", headers={"Accept": "application/json"}).status_code == 401
    assert sign_in("minh").get("/reception/roll-call/sheet").status_code == 403
    assert stranger.get("/reception/roll-call/manifest.webmanifest").get_json()["start_url"] == "/reception/roll-call"


def opened(sheet: dict[str, str]) -> Any:
    sealed, key = base64.b64decode(sheet["sealed"]), base64.b64decode(sheet["key"])
    return json.loads(AESGCM(key).decrypt(sealed[:12], sealed[12:], None))
