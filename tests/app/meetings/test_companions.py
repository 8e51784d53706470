"""Who comes with a guest: on one invitation, with a pass each, and gone with the guest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.settings import Settings
from app.meetings import companions, guests
from app.meetings.companions import NewCompanion
from app.meetings.models import Guest, GuestKind, PassState
from tests.factories import meetings as made
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]
DRIVER = NewCompanion(GuestKind.DRIVER, "Phạm Lái", needs="chỗ đỗ xe")


def bring(meeting_id: UUID, guest_id: UUID, new: NewCompanion = DRIVER, *, by: str = "minh") -> Guest:
    with db.transaction() as session:
        return companions.add(session, actor(by), meeting_id, guest_id, new)


def sent(city: Settings, *, new: NewCompanion = DRIVER) -> tuple[UUID, UUID, UUID]:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    driver_id = bring(meeting_id, guest_id, new).id
    made.send(meeting_id)
    made.run_jobs(city)
    return meeting_id, guest_id, driver_id


def test_who_has_no_address_gets_a_pass_whose_letter_goes_to_the_guest(city: Settings) -> None:
    _, guest_id, driver_id = sent(city)
    letter = made.letters_to(driver_id)[0]
    assert letter["To"].addresses[0].addr_spec == "lan@example.vn"
    text = letter.get_body(("plain",))
    assert text is not None
    assert "Lái xe của Nguyễn Thị Lan" in text.get_content()
    assert made.page_of(letter) != made.page_of(made.letters_to(guest_id)[0])
    assert [one.state for one in made.passes_of(driver_id)] == [PassState.VALID]


def test_who_has_an_address_gets_the_letter_themselves(city: Settings) -> None:
    new = NewCompanion(GuestKind.INTERPRETER, "Lê Dịch", "dich@example.vn")
    _, _, companion_id = sent(city, new=new)
    assert made.letters_to(companion_id)[0]["To"].addresses[0].addr_spec == "dich@example.vn"


def test_the_pass_ends_with_the_guests_invitation(city: Settings) -> None:
    meeting_id, guest_id, driver_id = sent(city)
    made.remove(meeting_id, guest_id)
    made.run_jobs(city)
    assert [one.state for one in made.passes_of(driver_id)] == [PassState.WITHDRAWN]
    assert "Huỷ" in str(made.letters_to(driver_id)[-1]["Subject"])


def test_the_same_person_entered_twice_is_one_and_ten_are_enough(city: Settings) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    assert bring(meeting_id, guest_id).id == bring(meeting_id, guest_id).id
    for number in range(companions.MOST - 1):
        bring(meeting_id, guest_id, NewCompanion(GuestKind.COMPANION, f"Khách {number}"))
    with pytest.raises(Conflict):
        bring(meeting_id, guest_id, NewCompanion(GuestKind.COMPANION, "Khách nữa"))


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (NewCompanion(GuestKind.INVITED, "Lê Tư"), Invalid),
        (NewCompanion(GuestKind.DRIVER, " "), Invalid),
        (NewCompanion(GuestKind.DRIVER, "Lê Tư", "không phải thư"), Invalid),
        (NewCompanion(GuestKind.DRIVER, "Lê Tư", "LAN@example.vn"), Conflict),
    ],
)
def test_what_is_not_right_adds_nobody(city: Settings, new: NewCompanion, error: type[Exception]) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    with pytest.raises(error):
        bring(meeting_id, guest_id, new)
    with db.transaction() as session:
        assert len(guests.of_meeting(session, made.meeting(meeting_id))) == 1


def test_nobody_comes_with_a_companion_with_a_removed_guest_or_with_another_agencys(city: Settings) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    driver_id = bring(meeting_id, guest_id).id
    with pytest.raises(Conflict):
        bring(meeting_id, driver_id)
    with pytest.raises(NotFound):
        bring(meeting_id, guest_id, by="bao")
    made.remove(meeting_id, guest_id)
    with pytest.raises(Conflict):
        bring(meeting_id, guest_id)


def test_the_page_adds_and_the_list_shows_them_below_their_guest(city: Settings, sign_in: SignIn) -> None:
    meeting_id, client = made.call(), sign_in("minh")
    guest_id = made.add(meeting_id)
    made.add(meeting_id, guests.NewGuest("Nguyễn Văn Xa", "xa@example.vn", ""))
    path = f"/meetings/{meeting_id}/guests/{guest_id}/companions/new"
    form = {"csrf_token": csrf_token(client, path), "kind": "driver", "name": "", "email": "", "needs": ""}
    assert client.post(path, data=form).status_code == 422
    assert client.post(path, data=form | {"name": "Phạm Lái"}).status_code == 302
    page = client.get(f"/meetings/{meeting_id}").get_data(as_text=True)
    names = [page.index(f">{name}") for name in ("Nguyễn Thị Lan", "Phạm Lái", "Nguyễn Văn Xa")]
    assert names == sorted(names)
    assert "Lái xe" in page
    assert sign_in("bao").get(path).status_code == 403


def test_nobody_is_added_to_a_guest_who_is_being_taken_off_the_list(city: Settings) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            guests.remove(session, actor("minh"), meeting_id, guest_id, now=made.now())
            adding = pool.submit(bring, meeting_id, guest_id)
            with pytest.raises(TimeoutError):
                adding.result(timeout=1)
        with pytest.raises(Conflict):
            adding.result(timeout=10)
