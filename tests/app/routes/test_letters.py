"""Who is told what by e-mail, once: their turn, what is due, what came back, what was issued."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.core import db
from app.core.i18n import CITY_ZONE, local
from app.core.settings import Settings
from app.notices.models import Notice
from app.routes import telling
from app.routes.holding import due
from app.routes.models import Act
from tests.app.routes.test_delegations import hand_over
from tests.factories import routes
from tests.factories.meetings import read_letter, run_jobs, text_of
from tests.factories.routes import Step

HEAD = Step(Act.SIGN, "hanh")


@pytest.fixture(autouse=True)
def people(city: Settings) -> None:
    routes.official("quang", "Lý Văn Quang", title="Trưởng phòng")
    routes.official("tuyet", "Mai Thị Tuyết", agency="H99.01", title="Phó Chánh Văn phòng")


def letters() -> list[tuple[str, str]]:
    """Return recipient and subject of every letter, oldest first."""
    with db.transaction() as session:
        found = session.scalars(select(Notice).order_by(Notice.created_at, Notice.recipient)).all()
        return [(one.recipient.partition("@")[0], one.title) for one in found]


def look_around(settings: Settings, now: datetime) -> int:
    with db.transaction() as session:
        return telling.look_around(session, settings, now=now)


def test_each_turn_is_told_to_those_who_have_it(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.INITIAL, "quang"), HEAD])
    run_jobs(city)
    assert letters() == [("quang", "Đến lượt bạn ký nháy: Quyết định số 1")]
    routes.sign(route_id, "quang")
    run_jobs(city)
    assert letters()[1:] == [("hanh", "Đến lượt bạn ký duyệt: Quyết định số 1")]


def test_a_letter_says_what_to_do_and_leads_to_the_route_in_both_languages(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.SIGN, "hanh", days=2)])
    run_jobs(city)
    with db.transaction() as session:
        mime = session.scalars(select(Notice.mime)).one()
    text = " ".join(text_of(read_letter(mime)).split())
    assert f"{city.web_url}/routes/{route_id}" in text
    assert "do Trần Văn Minh trình đang chờ bạn ký duyệt" in text
    assert "waits for you to sign it" in text
    step = routes.route(route_id).steps[0]
    assert step.last_day is not None
    assert local(step.last_day).strftime("hết ngày %d/%m/%Y") in text


def test_a_deputy_is_told_for_whom_within_the_round_after_it_was_handed_over(city: Settings) -> None:
    routes.running(city, [HEAD])
    run_jobs(city)
    hand_over("hanh", "tuyet")
    run_jobs(city)
    assert [who for who, _ in letters()] == ["hanh", "tuyet"]
    with db.transaction() as session:
        mime = session.scalars(select(Notice.mime).where(Notice.recipient.startswith("tuyet"))).one()
    assert "thay Lê Thị Mỹ Hạnh" in " ".join(text_of(read_letter(mime)).split())


def test_the_drafter_hears_of_a_decline_with_its_reason_and_of_the_issue(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    routes.decline(route_id, "hanh", reason="Sai trích yếu")
    run_jobs(city)
    assert ("minh", "Văn bản bị trả lại: Quyết định số 1") in letters()
    with db.transaction() as session:
        mime = session.scalars(select(Notice.mime).where(Notice.recipient.startswith("minh"))).one()
    assert "Lý do: Sai trích yếu" in text_of(read_letter(mime))


def test_clerks_hear_of_what_waits_for_its_number_and_the_drafter_of_the_issue(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    routes.sign(route_id, "hanh")
    run_jobs(city)
    assert ("thu", "Chờ vào số và đóng dấu: Quyết định số 1") in letters()
    routes.issue(route_id)
    run_jobs(city)
    assert ("minh", "Văn bản đã ban hành và gửi đến nơi nhận: Quyết định số 1") in letters()


def test_who_lost_the_turn_before_the_letter_went_out_gets_none(city: Settings) -> None:
    route_id = routes.running(city, [HEAD])
    routes.sign(route_id, "hanh")
    run_jobs(city)
    assert "hanh" not in [who for who, _ in letters()]


def test_a_reminder_goes_out_once_on_the_day_it_is_due_and_once_each_day_after(city: Settings) -> None:
    route_id = routes.running(city, [Step(Act.SIGN, "hanh", days=1)])
    run_jobs(city)
    step = routes.route(route_id).steps[0]
    assert step.due_at is not None
    last_day = step.due_at - timedelta(days=1)
    assert look_around(city, last_day - timedelta(minutes=1)) == 0
    morning = timedelta(hours=telling.OPENING_HOUR)
    assert look_around(city, last_day + morning - timedelta(minutes=1)) == 0
    told = [look_around(city, last_day + morning + timedelta(hours=hours)) for hours in (0, 1, 24, 25, 48)]
    assert told == [1, 0, 1, 0, 1]
    subjects = {title for _, title in letters()}
    assert "[Nhắc việc] Quyết định số 1 đến hạn hôm nay" in subjects
    assert "[Nhắc việc] Quyết định số 1 đã quá hạn" in subjects
    routes.sign(route_id, "hanh")
    assert look_around(city, last_day + timedelta(days=5, hours=12)) == 0


@pytest.mark.parametrize(
    ("opened", "days", "last"),
    [
        (datetime(2026, 11, 23, 9, tzinfo=CITY_ZONE), 1, "24/11/2026"),
        (datetime(2026, 11, 27, 23, 59, tzinfo=CITY_ZONE), 1, "30/11/2026"),
        (datetime(2026, 11, 28, 9, tzinfo=CITY_ZONE), 1, "30/11/2026"),
        (datetime(2026, 11, 23, 9, tzinfo=CITY_ZONE), 5, "30/11/2026"),
    ],
)
def test_days_to_act_are_working_days_to_their_very_end(opened: datetime, days: int, last: str) -> None:
    end = due(opened, days)
    assert local(end - timedelta(seconds=1)).strftime("%d/%m/%Y %H:%M:%S") == f"{last} 23:59:59"
