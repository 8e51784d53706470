"""Who came: from the gate's admissions to the page, the counts and the workbook, for the agency that invited."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.audit.models import AuditEntry
from app.core import db
from app.core.settings import Settings
from app.gate.models import Admission
from app.gate.tasks import publish_lists
from app.meetings import answers, sealing
from app.meetings.guests import NewGuest
from app.meetings.models import Guest, Meeting, Pass, Reply
from app.registry.models import Agency
from app.visits import attendance
from app.visits.attendance import Standing
from tests.factories import gate, meetings
from tests.factories.certificates import actor
from tests.factories.meetings import LAN

SignIn = Callable[[str], FlaskClient]
BINH = NewGuest("Trần Bình", "binh@example.vn", "Công ty B")
CHI = NewGuest("=Lê Chi", "chi@example.vn", "")


@pytest.fixture
def meeting_id(city: Settings, web: Flask) -> UUID:
    """A meeting that begins in a minute: Lan is in, Bình said no, Chi has not come yet."""
    publish_lists.func(0)
    called = meetings.call(meetings.plan(after=timedelta(minutes=1)))
    lan, binh, _ = (meetings.add(called, one) for one in (LAN, BINH, CHI))
    meetings.send(called)
    meetings.run_jobs(city)
    with db.transaction() as session:
        starts = session.get_one(Meeting, called).starts_at
        answers.answer(session, session.get_one(Guest, binh), Reply.NO, "", now=starts - timedelta(hours=1))
    newest = meetings.passes_of(lan)[-1]
    digits = sealing.open_sealed(city, newest.id, newest.sealed).digits
    assert gate.send(gate.tablet(web), gate.message(digits))["outcome"] == "admit"
    return called


def standings(meeting_id: UUID, *, after: timedelta = timedelta(0)) -> dict[str, Standing]:
    with db.transaction() as session:
        ends = session.get_one(Meeting, meeting_id).ends_at
        now = ends + after if after else meetings.now()
        found = attendance.of_meeting(session, actor("minh"), meeting_id, now=now)
        return {one.guest.name: one.standing for one in found.people}


def test_each_guest_stands_as_the_gate_saw_them(meeting_id: UUID) -> None:
    assert standings(meeting_id) == {
        "Nguyễn Thị Lan": Standing.INSIDE,
        "Trần Bình": Standing.DECLINED,
        "=Lê Chi": Standing.EXPECTED,
    }
    assert standings(meeting_id, after=timedelta(seconds=1))["=Lê Chi"] is Standing.ABSENT
    with db.transaction() as session:
        session.execute(update(Admission).values(left_at=meetings.now()))
    assert standings(meeting_id)["Nguyễn Thị Lan"] is Standing.LEFT


def test_who_came_with_a_replaced_pass_has_come(city: Settings, meeting_id: UUID) -> None:
    with db.transaction() as session:
        session.execute(update(Pass).values(state="changed"))
    assert standings(meeting_id)["Nguyễn Thị Lan"] is Standing.INSIDE


def test_the_page_counts_and_shows_one_standing(meeting_id: UUID, sign_in: SignIn) -> None:
    client = sign_in("minh")
    page = client.get(f"/visits/{meeting_id}").get_data(as_text=True)
    assert "1 trong 3 khách đã đến" in page
    assert "Cổng A" in page
    inside = client.get(f"/visits/{meeting_id}?standing=inside").get_data(as_text=True)
    assert ("Nguyễn Thị Lan" in inside, "Trần Bình" in inside) == (True, False)
    part = client.get(f"/visits/{meeting_id}/part").get_data(as_text=True)
    assert part.lstrip().startswith("<div data-live-state")


def test_the_workbook_holds_text_alone_and_each_download_is_recorded(meeting_id: UUID, sign_in: SignIn) -> None:
    answer = sign_in("minh").get(f"/visits/{meeting_id}/attendance.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows = {row[0].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=5)}
    assert rows["Nguyễn Thị Lan"][3] == "Đang ở trong"
    assert rows["=Lê Chi"][3] == "Chưa đến"
    assert {cell.data_type for row in sheet.iter_rows(min_row=5) for cell in row if cell.value} == {"s"}
    with db.transaction() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.act == "attendance_exported")).all()
    assert len(acts) == 1


def test_another_agency_and_a_guard_see_nothing_of_it(meeting_id: UUID, sign_in: SignIn) -> None:
    for path in ("", "/part", "/attendance.xlsx"):
        assert sign_in("bao").get(f"/visits/{meeting_id}{path}").status_code == 403
    with db.transaction() as session:
        other = select(Agency.id).where(Agency.code == "H99.03").scalar_subquery()
        session.execute(update(Meeting).values(agency_id=other))
    assert sign_in("minh").get(f"/visits/{meeting_id}").status_code == 404
