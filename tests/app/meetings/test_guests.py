"""The list of guests: by hand, from files of every kind, corrected, taken off, and out again as a file."""

from __future__ import annotations

import base64
import csv
import io
import re
import unicodedata
from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.settings import Settings
from app.meetings import guest_lists, guests
from app.meetings.guest_lists import DryRun
from app.meetings.guests import NewGuest
from pki.passes.status import PassStatus
from tests.factories import meetings as made
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]
HEAD = "Họ tên,E-mail,Cơ quan\r\n"


def try_file(meeting_id: UUID, content: str | bytes) -> DryRun:
    raw = content.encode() if isinstance(content, str) else content
    with db.transaction() as session:
        return guest_lists.dry_run(session, actor("minh"), meeting_id, raw)


def names_on(meeting_id: UUID) -> list[str]:
    with db.transaction() as session:
        return [guest.name for guest in guests.of_meeting(session, made.meeting(meeting_id))]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("comma", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_read_as_spreadsheets_write_it(city: Settings, mark: str, comma: str, end: str) -> None:
    rows = (("Họ và tên", "Đơn vị", "Email"), ("Nguyễn Văn A", "Công ty A; B, C", "a@example.vn"))
    table = end.join(comma.join(f'"{cell}"' for cell in row) for row in rows)
    run = try_file(made.call(), f"{mark}{table}{end}")
    assert run.guests == [NewGuest("Nguyễn Văn A", "a@example.vn", "Công ty A; B, C")]


def test_a_name_in_pieces_is_put_together_and_invisible_signs_are_dropped(city: Settings) -> None:
    pieces = unicodedata.normalize("NFD", "Nguyễn  Thị\u200b Lan\u202e")
    (guest,) = try_file(made.call(), f"{HEAD}{pieces},lan@example.vn,\r\n").guests
    assert guest.name == "Nguyễn Thị Lan"


def test_each_bad_row_is_named_and_the_good_ones_stay(city: Settings) -> None:
    meeting_id = made.call()
    made.add(meeting_id)
    run = try_file(
        meeting_id,
        f"{HEAD},ai@example.vn,\r\nTốt,tot@example.vn,X\r\n\r\nXấu,khong-phai-thu,\r\nTốt,TOT@example.vn,\r\n"
        f"Lan,lan@example.vn,\r\n{'x' * 121},dai@example.vn,\r\nẢo,ảo@example.vn,\r\nThiếu\r\n",
    )
    assert [guest.email for guest in run.guests] == ["tot@example.vn"]
    # Row 4 is empty and is no row.
    assert [row.number for row in run.problems] == [2, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"name,phone\r\nA,1\r\n",
        "Họ tên,Cơ quan\r\nA,B\r\n".encode(),
        "Họ tên,E-mail\r\nA,a@example.vn\x00\r\n".encode(),
        "Họ tên,E-mail\r\nA,a@example.vn\r\n".encode("utf-16"),
        HEAD.encode() + b"\xff\xfe,a@example.vn,\r\n",
        HEAD.encode() + b'"never closed,a@example.vn,\r\n',
        HEAD.encode() + b'"' + b"x" * 200_000 + b'",a@example.vn,\r\n',
        HEAD.encode() + b"A,a@example.vn,X\r\n" * 60_000,
        b"%PDF-1.7\n",
    ],
)
def test_what_is_no_list_of_guests_is_refused_as_a_whole(city: Settings, content: bytes) -> None:
    meeting_id = made.call()
    with pytest.raises(Invalid):
        try_file(meeting_id, content)


def test_five_thousand_rows_are_taken_and_one_more_is_refused(city: Settings) -> None:
    meeting_id = made.call()
    rows = "".join(f"Khách {number},k{number}@example.vn,Công ty\r\n" for number in range(5_001))
    all_but_one = rows.rsplit("\r\n", 2)[0]
    assert len(try_file(meeting_id, HEAD + all_but_one).guests) == 5_000
    with pytest.raises(Invalid, match="5,000"):
        try_file(meeting_id, HEAD + rows)


def test_the_template_of_the_page_is_a_file_that_is_taken(city: Settings, sign_in: SignIn) -> None:
    content = sign_in("minh").get("/meetings/guests-template.xlsx").get_data()
    assert len(try_file(made.call(), content).guests) == 1


def test_a_file_adds_nothing_before_it_is_confirmed_and_each_guest_once(city: Settings, sign_in: SignIn) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    path = f"/meetings/{meeting_id}/guests/file"
    rows = "".join(f"Khách số {number},khach{number}@example.vn,Công ty {number}\r\n" for number in range(5_000))
    page = client.post(
        path,
        data={"csrf_token": csrf_token(client, path), "file": (io.BytesIO((HEAD + rows).encode()), "khach.csv")},
        content_type="multipart/form-data",
    ).get_data(as_text=True)
    assert "Thêm 5000 khách" in page.replace(".", "")
    assert names_on(meeting_id) == []
    packed = re.search(r'name="packed" value="([^"]+)"', page)
    assert packed
    form = {"csrf_token": csrf_token(client, path), "packed": packed.group(1)}
    for _ in range(2):
        assert client.post(f"{path}/confirm", data=form).status_code == 302
        assert len(names_on(meeting_id)) == 5_000


@pytest.mark.parametrize("packed", ["***", base64.b64encode(b"no list").decode()])
def test_a_confirmation_with_something_else_in_it_adds_nothing(city: Settings, sign_in: SignIn, packed: str) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    path = f"/meetings/{meeting_id}/guests/file"
    answer = client.post(f"{path}/confirm", data={"csrf_token": csrf_token(client, path), "packed": packed})
    assert answer.status_code == 422
    assert names_on(meeting_id) == []


def test_the_list_goes_out_without_anything_a_spreadsheet_would_run(city: Settings, sign_in: SignIn) -> None:
    meeting_id = made.call()
    made.add(meeting_id, NewGuest('=HYPERLINK("http://x","y")', "a@example.vn", "+84 Công ty"))
    made.add(meeting_id, NewGuest("@SUM(A1)", "b@example.vn", "-1"))
    content = sign_in("minh").get(f"/meetings/{meeting_id}/guests.csv").get_data(as_text=True)
    cells = [cell for row in csv.reader(io.StringIO(content.lstrip("\ufeff"))) for cell in row]
    assert len(cells) == 18
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))] == []


def test_the_same_address_is_on_the_list_once_in_whatever_case(city: Settings) -> None:
    meeting_id = made.call()
    made.add(meeting_id)
    with pytest.raises(Conflict):
        made.add(meeting_id, NewGuest("Lan", "LAN@example.vn", ""))


def test_a_guest_who_was_taken_off_may_be_added_again(city: Settings) -> None:
    meeting_id = made.call()
    made.remove(meeting_id, made.add(meeting_id))
    made.add(meeting_id)
    assert names_on(meeting_id) == ["Nguyễn Thị Lan"]


def test_taking_an_invited_guest_off_the_list_ends_their_pass_and_tells_them_once(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    made.remove(meeting_id, guest_id)
    made.remove(meeting_id, guest_id)
    made.run_jobs(city)
    (row,) = made.passes_of(guest_id)
    assert made.ended() == {row.status_index: PassStatus.WITHDRAWN}
    assert len(made.letters_to(guest_id)) == 2


def test_withdrawing_shows_what_it_does_before_it_does_it(city: Settings, sign_in: SignIn) -> None:
    meeting_id, guest_id = made.invited(city)
    path, client = f"/meetings/{meeting_id}/guests/{guest_id}/remove", sign_in("minh")
    assert "Mã không còn dùng được" in client.get(path).get_data(as_text=True)
    assert made.ended() == {}
    assert client.post(path, data={"csrf_token": csrf_token(client, path)}).status_code == 302
    assert len(made.ended()) == 1


def test_a_guest_is_corrected_until_the_invitation_is_sent(city: Settings, sign_in: SignIn) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    guest_id = made.add(meeting_id)
    path = f"/meetings/{meeting_id}/guests/{guest_id}/edit"
    form = {"csrf_token": csrf_token(client, path), "name": "Nguyễn Lan", "email": "lan2@example.vn"}
    assert client.post(path, data=form).status_code == 302
    assert made.guest(guest_id).name == "Nguyễn Lan"
    made.send(meeting_id)
    assert client.post(path, data={**form, "name": "Ai Khác"}).status_code == 422
    assert made.guest(guest_id).name == "Nguyễn Lan"


def test_the_list_of_a_cancelled_meeting_stays_as_it_is(city: Settings) -> None:
    meeting_id = made.call()
    made.cancel(meeting_id)
    with pytest.raises(Conflict):
        made.add(meeting_id)


def test_guests_of_another_agency_do_not_exist_for_an_official(city: Settings, sign_in: SignIn) -> None:
    meeting_id = made.call(by="hanh", agency="H99.01")
    guest_id = made.add(meeting_id, by="hanh")
    own = made.call(made.plan(room="Phòng 302"))
    with pytest.raises(NotFound):
        made.remove(own, guest_id)
    client = sign_in("minh")
    token = csrf_token(client, "/meetings/new")
    base = f"/meetings/{meeting_id}"
    for path in ("", "/edit", "/cancel", "/guests/file", "/guests.csv", f"/guests/{guest_id}/edit"):
        assert client.get(base + path).status_code == 404, path
    for path in ("/edit", "/cancel", "/send", "/guests", f"/guests/{guest_id}/remove", "/guests/file/confirm"):
        form = {"csrf_token": token, "name": "A", "email": "a@example.vn", "packed": ""}
        assert client.post(base + path, data=form).status_code == 404, path
    assert made.guest(guest_id).removed_at is None


def test_a_citizen_reaches_no_meeting(city: Settings, sign_in: SignIn) -> None:
    meeting_id = made.call()
    for path in ("/meetings/", "/meetings/new", f"/meetings/{meeting_id}", f"/meetings/{meeting_id}/guests.csv"):
        assert sign_in("lan").get(path).status_code == 403
