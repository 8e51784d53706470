"""The agenda and the papers of a meeting: written by the organiser, read by guests while they are invited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.core import db
from app.core.errors import Invalid, NotFound
from app.core.i18n import CITY_ZONE, local
from app.core.settings import Settings
from app.documents import service as documents
from app.documents.models import DocumentVersion
from app.meetings import agenda, papers
from app.meetings.models import Guest, Meeting
from tests.factories import meetings as made
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.issued_claims import paper

SignIn = Callable[[str], FlaskClient]
BEGINS = datetime(2031, 3, 4, 22, 0, tzinfo=CITY_ZONE)


def meeting(hours: int = 4) -> Meeting:
    return Meeting(starts_at=BEGINS, ends_at=BEGINS + timedelta(hours=hours))


def signed(city: Settings, title: str = "Báo cáo quý", *, by: str = "minh") -> UUID:
    """A document of an official whose newest version counts as signed."""
    document_id = paper(city, by, title=title)
    with db.transaction() as session:
        session.execute(update(DocumentVersion).where(DocumentVersion.document_id == document_id).values(signatures=1))
    return document_id


def attach(meeting_id: UUID, document_id: UUID, *, by: str = "minh") -> UUID:
    with db.transaction() as session:
        return papers.attach(session, actor(by), meeting_id, document_id, now=made.now()).id


def page_of(guest_id: UUID) -> str:
    return made.page_of(made.letters_to(guest_id)[0])


def test_points_are_read_line_by_line_over_midnight_too() -> None:
    items = agenda.read("22:00 | Khai mạc | Ông Minh\n\n  Giải lao\n0h30|Kết luận", meeting())
    assert [(one.topic, one.presenter) for one in items] == [
        ("Khai mạc", "Ông Minh"),
        ("Giải lao", ""),
        ("Kết luận", ""),
    ]
    assert [one.starts_at and local(one.starts_at) for one in items] == [
        BEGINS,
        None,
        BEGINS + timedelta(hours=2, minutes=30),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("22:00 | A\n21:30 | B", "2"), ("25:00 | A", "1"), ("22:61 | A", "1"), ("03:00 | A", "1"), ("22:00 | ", "1")],
)
def test_a_line_that_is_not_right_is_named(text: str, line: str) -> None:
    with pytest.raises(Invalid, match=f"Line {line}"):
        agenda.read(text, meeting())


def test_too_many_points_are_refused() -> None:
    with pytest.raises(Invalid, match="60"):
        agenda.read("\n".join(f"Mục {number}" for number in range(61)), meeting())


def test_the_agenda_is_written_shown_to_guests_and_written_anew(
    city: Settings, client: FlaskClient, sign_in: SignIn
) -> None:
    meeting_id, guest_id = made.invited(city)
    organiser, path = sign_in("minh"), f"/meetings/{meeting_id}/agenda"
    begins = f"{local(made.meeting(meeting_id).starts_at):%H:%M}"
    text = f"{begins} | Khai mạc <b> | Ông Minh\nThảo luận"
    form = {"csrf_token": csrf_token(organiser, path), "points": text}
    assert organiser.post(path, data=form | {"points": f"{begins} | "}).status_code == 422
    assert organiser.post(path, data=form).status_code == 302
    guest = client.get(page_of(guest_id)).get_data(as_text=True)
    assert "Khai mạc &lt;b&gt; – Ông Minh" in guest
    with db.transaction() as session:
        assert agenda.written(session, session.get_one(Meeting, meeting_id)) == text
    organiser.post(path, data=form | {"points": ""})
    assert "Khai mạc" not in client.get(page_of(guest_id)).get_data(as_text=True)


def test_guests_read_the_signed_version_that_was_attached(city: Settings, client: FlaskClient, sign_in: SignIn) -> None:
    meeting_id, guest_id = made.invited(city)
    organiser, document_id = sign_in("minh"), signed(city)
    path = f"/meetings/{meeting_id}/papers"
    assert "Báo cáo quý" in organiser.get(path, query_string={"q": "bao cao"}).get_data(as_text=True)
    token = {"csrf_token": csrf_token(organiser, path)}
    assert [organiser.post(f"{path}/{document_id}", data=token).status_code for _ in range(2)] == [302, 302]
    with db.transaction() as session:
        (one,) = papers.of_meeting(session, meeting_id)
    address = f"{page_of(guest_id)}/papers/{one.id}"
    assert address.rpartition("/p/")[2] in client.get(page_of(guest_id)).get_data(as_text=True)
    answer = client.get(address)
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert organiser.post(f"{path}/{one.id}/remove", data=token).status_code == 302
    assert client.get(address).status_code == 404


def test_a_newer_version_takes_the_place_of_the_older(city: Settings) -> None:
    meeting_id, document_id = made.call(), signed(city)
    first = attach(meeting_id, document_id)
    with db.transaction() as session:
        document = documents.find(session, actor("minh"), document_id, for_change=True)
        base = document.newest
        documents.add_version(
            session,
            document,
            base=base,
            made_by=base.made_by,
            sha256=base.sha256,
            size=base.size,
            pages=1,
            signatures=2,
            person_id=base.person_id,
            now=made.now(),
        )
    second = attach(meeting_id, document_id)
    with db.transaction() as session:
        assert [one.id for one in papers.of_meeting(session, meeting_id)] == [second]
    assert first != second


def test_what_is_unsigned_foreign_or_unknown_is_not_attached(city: Settings) -> None:
    meeting_id = made.call()
    with pytest.raises(Invalid):
        attach(meeting_id, paper(city, "minh"))
    with pytest.raises(NotFound):
        attach(meeting_id, uuid4())
    with pytest.raises(NotFound):
        attach(meeting_id, signed(city), by="bao")


def test_a_paper_of_another_meeting_or_of_an_ended_invitation_is_not_opened(
    city: Settings, client: FlaskClient
) -> None:
    meeting_id, guest_id = made.invited(city)
    other = made.call(made.plan(room="Phòng 302"))
    foreign, own = attach(other, signed(city, "Của họp khác")), attach(meeting_id, signed(city))
    assert client.get(f"{page_of(guest_id)}/papers/{foreign}").status_code == 404
    assert client.get(f"{page_of(guest_id)}/papers/{own}").status_code == 200
    with db.transaction() as session:
        guest = session.get_one(Guest, guest_id)
        ends = guest.meeting.ends_at
        assert papers.for_guest(session, guest, own, now=ends + timedelta(days=29))
        with pytest.raises(NotFound):
            papers.for_guest(session, guest, own, now=ends + timedelta(days=30))
    made.remove(meeting_id, guest_id)
    assert client.get(f"{page_of(guest_id)}/papers/{own}").status_code == 404


def test_a_guard_reaches_neither_page(city: Settings, sign_in: SignIn) -> None:
    meeting_id = made.call()
    assert [sign_in("bao").get(f"/meetings/{meeting_id}/{one}").status_code for one in ("agenda", "papers")] == [
        403
    ] * 2
