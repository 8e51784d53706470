"""The invitation as other programs read it: the tree of its parts, the code, the calendar."""

from __future__ import annotations

import io
from datetime import timedelta
from email.message import EmailMessage

import pytest
import zxingcpp
from icalendar import Calendar
from PIL import Image

from app.core.i18n import CITY_ZONE
from app.core.settings import Settings
from app.meetings import sealing
from app.meetings.guests import NewGuest
from tests.factories import meetings as made


def tree(part: EmailMessage) -> object:
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_subtype(), [tree(one) for one in part.iter_parts()]  # type: ignore[arg-type]


def part_of(letter: EmailMessage, kind: str) -> EmailMessage:
    return next(part for part in letter.walk() if part.get_content_type() == kind)


def event_of(letter: EmailMessage) -> tuple[str, Calendar]:
    calendar = Calendar.from_ical(part_of(letter, "text/calendar").get_content())
    return str(calendar["method"]), calendar.walk("VEVENT")[0]


def test_an_invitation_has_text_page_code_calendar_file_and_letter(city: Settings) -> None:
    _, guest_id = made.invited(city)
    (letter,) = made.letters_to(guest_id)
    assert letter.defects == []
    assert all(notice.mime.isascii() for notice in made.notices_about(guest_id))
    assert tree(letter) == (
        "mixed",
        [
            ("alternative", ["text/plain", ("related", ["text/html", "image/png"]), "text/calendar"]),
            "application/ics",
            "application/pdf",
        ],
    )


def test_the_page_of_the_letter_shows_the_code_that_travels_with_it(city: Settings) -> None:
    _, guest_id = made.invited(city)
    (letter,) = made.letters_to(guest_id)
    picture = part_of(letter, "image/png")
    assert picture["Content-ID"] == "<code>"
    html = part_of(letter, "text/html").get_content()
    assert 'src="cid:code"' in html
    assert "http" not in html.split("cid:code")[0]
    read = zxingcpp.read_barcode(Image.open(io.BytesIO(picture.get_content())).convert("L"))
    assert read is not None
    assert read.valid
    (row,) = made.passes_of(guest_id)
    assert read.text == sealing.open_sealed(city, row.id, row.sealed).digits


def test_the_calendar_part_says_when_and_where_in_the_citys_time_and_holds_no_secret(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    (letter,) = made.letters_to(guest_id)
    part, meeting = part_of(letter, "text/calendar"), made.meeting(meeting_id)
    assert part.get_param("method") == "REQUEST"
    assert part.get_param("charset") == "utf-8"
    method, event = event_of(letter)
    assert method == "REQUEST"
    assert event.decoded("dtstart") == meeting.starts_at
    assert event.decoded("dtstart").tzinfo.key == CITY_ZONE.key
    assert event.decoded("dtend") == meeting.ends_at
    assert str(event["attendee"]) == "MAILTO:lan@example.vn"
    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    assert b"VTIMEZONE" in raw
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert part_of(letter, "application/ics").get_payload(decode=True) == raw
    unfolded = raw.replace(b"\r\n ", b"")
    assert made.page_of(letter).removeprefix("/p/").encode() not in unfolded
    assert b"/p/" not in unfolded


def test_each_change_raises_the_sequence_of_the_same_event_and_withdrawing_cancels_it(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    made.change(meeting_id, made.plan(after=timedelta(days=4)))
    made.run_jobs(city)
    made.remove(meeting_id, guest_id)
    made.run_jobs(city)
    events = [event_of(letter) for letter in made.letters_to(guest_id)]
    assert [method for method, _ in events] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [event["sequence"] for _, event in events] == [0, 1, 2]
    assert {str(event["uid"]) for _, event in events} == {f"{guest_id}@localhost"}
    assert str(events[-1][1]["status"]) == "CANCELLED"


def test_each_letter_has_an_identifier_of_its_own_and_says_that_nobody_typed_it(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    made.cancel(meeting_id)
    made.run_jobs(city)
    letters = made.letters_to(guest_id)
    assert len({str(letter["Message-ID"]) for letter in letters}) == 2
    assert {str(letter["Auto-Submitted"]) for letter in letters} == {"auto-generated"}


@pytest.mark.parametrize(
    "name", ["Nguyễn Thị Lan", 'Lan "Bé", Công ty <x@y.vn>', "Công Tằng Tôn Nữ Thị Hoàng Phương Anh Thuỳ Dương"]
)
def test_names_of_every_kind_reach_the_address_line_whole(city: Settings, name: str) -> None:
    _, guest_id = made.invited(city, NewGuest(name, "lan@example.vn", ""))
    (letter,) = made.letters_to(guest_id)
    (address,) = letter["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "lan@example.vn")
    (sender,) = letter["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Sở Khoa học và Công nghệ", "kyvao@localhost")


def test_the_letter_shows_names_as_text_and_not_as_markup(city: Settings) -> None:
    _, guest_id = made.invited(city, NewGuest("<script>alert(1)</script>", "lan@example.vn", "<b>A</b>"))
    (letter,) = made.letters_to(guest_id)
    html = part_of(letter, "text/html").get_content()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<script>alert(1)</script>" in made.text_of(letter)
