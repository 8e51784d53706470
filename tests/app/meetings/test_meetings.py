"""Planning a meeting, sending its invitations, changing and cancelling it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.certificates import key_access, register
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.settings import Settings
from app.meetings import passes, service, tasks
from app.meetings.guests import NewGuest
from app.meetings.models import MeetingState, PassState
from pki.passes import cose, digits
from pki.passes.claims import PassClaims
from pki.passes.status import PassStatus
from tests.factories import meetings as made
from tests.factories.certificates import actor


def claims_of(settings: Settings, guest_id: object) -> PassClaims:
    """Verify the newest pass of a guest with the certificate it names, as a gate does."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from app.meetings import sealing
    from pki.passes import claims

    row = made.passes_of(guest_id)[-1]  # type: ignore[arg-type]  # a UUID
    shown = sealing.open_sealed(settings, row.id, row.sealed)
    with db.transaction() as session:
        signer = register.find(session, row.signer_certificate_id)
    assert signer.der
    key = x509.load_der_x509_certificate(signer.der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    token = digits.decode(shown.digits)
    assert cose.parse(token).kid == register.kid_of(signer)
    return claims.verify(token, key)


def test_a_pass_is_signed_by_the_agency_and_opens_an_hour_before_until_half_an_hour_after(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    meeting, claims = made.meeting(meeting_id), claims_of(city, guest_id)
    assert claims.meeting == meeting.number
    assert claims.not_before == meeting.starts_at - timedelta(hours=1)
    assert claims.not_after == meeting.ends_at + timedelta(minutes=30)
    with db.transaction() as session:
        found = passes.by_secret(session, claims.pass_id)
    assert found is not None
    assert found.guest_id == guest_id


def test_sending_twice_gives_each_guest_one_pass_and_one_letter(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    assert made.send(meeting_id) == 0
    made.run_jobs(city)
    tasks.issue_pass.func(str(guest_id))
    assert len(made.passes_of(guest_id)) == 1
    assert len(made.letters_to(guest_id)) == 1


def test_a_guest_added_after_the_sending_is_invited_by_the_next_one_as_if_from_the_start(city: Settings) -> None:
    meeting_id, _ = made.invited(city)
    late = made.add(meeting_id, NewGuest("Trần Bình", "binh@example.vn", ""))
    made.change(meeting_id, made.plan(after=timedelta(days=3)))
    made.run_jobs(city)
    assert made.letters_to(late) == []
    assert made.send(meeting_id) == 1
    made.run_jobs(city)
    (letter,) = made.letters_to(late)
    assert "Thay đổi" not in str(letter["Subject"])


def test_nothing_is_sent_without_guests(city: Settings) -> None:
    with pytest.raises(Invalid, match="no guests"):
        made.send(made.call())


def test_nothing_is_sent_when_the_agency_has_no_valid_key(city: Settings) -> None:
    meeting_id = made.call()
    made.add(meeting_id)
    with db.transaction() as session:
        session.execute(
            text("UPDATE certificate SET not_after = now() - interval '1 day' WHERE profile = 'pass_signer'")
        )
    with pytest.raises(service.Forbidden):
        made.send(meeting_id)
    assert made.meeting(meeting_id).state == MeetingState.DRAFT


def test_another_time_ends_the_old_pass_and_brings_a_new_one_on_the_same_page(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    made.change(meeting_id, made.plan(after=timedelta(days=4)))
    (old,) = made.passes_of(guest_id)
    assert made.ended() == {old.status_index: PassStatus.CHANGED}
    made.run_jobs(city)
    first, second = made.letters_to(guest_id)
    assert "Thay đổi" in str(second["Subject"])
    assert made.page_of(first) == made.page_of(second)
    assert [one.state for one in made.passes_of(guest_id)] == [PassState.CHANGED, PassState.VALID]
    assert claims_of(city, guest_id).not_before == made.meeting(meeting_id).starts_at - timedelta(hours=1)


def test_another_title_alone_leaves_the_passes_as_they_are(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    meeting = made.meeting(meeting_id)
    planned = replace(made.plan(), starts_at=meeting.starts_at, ends_at=meeting.ends_at, title="Họp khác")
    made.change(meeting_id, planned)
    made.run_jobs(city)
    assert len(made.passes_of(guest_id)) == 1
    assert made.meeting(meeting_id).title == "Họp khác"


def test_cancelling_ends_every_pass_and_tells_each_guest_once(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    assert made.cancel(meeting_id) == 1
    assert made.cancel(meeting_id) == 0
    made.run_jobs(city)
    (row,) = made.passes_of(guest_id)
    assert made.ended() == {row.status_index: PassStatus.WITHDRAWN}
    assert [str(letter["Subject"]).startswith("[Huỷ]") for letter in made.letters_to(guest_id)] == [False, True]


def test_guests_are_told_even_when_the_meeting_is_cancelled_before_their_new_pass_was_made(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    made.change(meeting_id, made.plan(after=timedelta(days=4)))
    assert made.cancel(meeting_id) == 1
    made.run_jobs(city)
    assert [one.state for one in made.passes_of(guest_id)] == [PassState.WITHDRAWN]
    assert str(made.letters_to(guest_id)[-1]["Subject"]).startswith("[Huỷ]")


def test_a_pass_queued_before_the_meeting_was_cancelled_is_never_signed(city: Settings) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    made.send(meeting_id)
    made.cancel(meeting_id)
    made.run_jobs(city)
    assert made.passes_of(guest_id) == []
    assert made.letters_to(guest_id) == []


@pytest.mark.parametrize("act", ["cancel", "remove", "change"])
def test_whoever_ends_a_pass_waits_for_one_that_is_being_signed(city: Settings, act: str) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    made.send(meeting_id)
    acts = {
        "cancel": lambda: made.cancel(meeting_id),
        "remove": lambda: made.remove(meeting_id, guest_id),
        "change": lambda: made.change(meeting_id, made.plan(after=timedelta(days=5))),
    }
    started = threading.Event()

    def end() -> None:
        started.set()
        acts[act]()

    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            guest = passes.claim_guest(session, guest_id)
            assert guest is not None
            signer = register.pass_signer_of(session, guest.meeting.agency_id, now=made.now())
            assert signer is not None
            key = key_access.load(city, signer.certificate.key_reference)
            passes.issue(session, city, guest, signer.certificate, key, now=made.now())
            ending = pool.submit(end)
            started.wait()
            while not _is_waiting_for_a_lock(session):
                assert not ending.done()
        ending.result(timeout=10)
    assert [one.state for one in made.passes_of(guest_id)] != [PassState.VALID]


def _is_waiting_for_a_lock(session: service.Session) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return bool(session.execute(query).scalar_one())


def test_a_room_is_not_given_twice_for_the_same_time(city: Settings) -> None:
    first = made.plan()
    later = first.ends_at + timedelta(hours=1)
    made.call(first)
    with pytest.raises(Conflict, match="taken"):
        made.call(replace(first, starts_at=first.ends_at - timedelta(minutes=1), ends_at=later))
    made.call(replace(first, starts_at=first.ends_at, ends_at=later))


def test_of_two_people_who_want_a_room_at_once_one_gets_it(city: Settings) -> None:
    planned = made.plan()

    def attempt(login: str) -> bool:
        try:
            made.call(planned, by=login)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, ["minh", "thu"])) == [False, True]


def test_a_cancelled_meeting_gives_its_room_back(city: Settings) -> None:
    planned = made.plan()
    made.cancel(made.call(planned))
    made.call(planned)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (timedelta(days=1), timedelta(days=1)),
        (timedelta(days=1), timedelta(hours=3)),
        (timedelta(days=1), timedelta(days=3, minutes=1)),
        (timedelta(hours=-3), timedelta(hours=-1)),
    ],
)
def test_a_meeting_without_a_sensible_time_is_refused(city: Settings, starts: timedelta, ends: timedelta) -> None:
    moment = made.now()
    with pytest.raises(Invalid):
        made.call(replace(made.plan(), starts_at=moment + starts, ends_at=moment + ends))


def test_a_meeting_of_another_agency_does_not_exist_for_an_official(city: Settings) -> None:
    meeting_id = made.call(by="hanh", agency="H99.01")
    with db.transaction() as session:
        for act in (
            lambda: service.find(session, actor("minh"), meeting_id),
            lambda: service.change(session, actor("minh"), meeting_id, made.plan(), now=made.now()),
            lambda: service.send(session, actor("minh"), meeting_id, now=made.now()),
            lambda: service.cancel(session, actor("minh"), meeting_id),
        ):
            with pytest.raises(NotFound):
                act()
    with pytest.raises(NotFound):
        made.call(by="minh", agency="H99.01")


def test_meetings_are_found_without_the_marks_of_their_titles(city: Settings) -> None:
    made.call(made.plan(title="Họp về Đường Nguyễn Huệ"))
    made.call(made.plan(title="Tập huấn", room="Phòng 302"))
    with db.transaction() as session:
        found = service.listed(session, actor("minh"), text="duong nguyen", now=made.now())
    assert [meeting.title for meeting, _ in found] == ["Họp về Đường Nguyễn Huệ"]


def test_a_title_cannot_smuggle_another_line_into_the_letter(city: Settings) -> None:
    meeting_id = made.call(made.plan(title="Họp\r\nBcc: khac@example.vn\u202e"))
    guest_id = made.add(meeting_id)
    made.send(meeting_id)
    made.run_jobs(city)
    (letter,) = made.letters_to(guest_id)
    assert letter["Bcc"] is None
    assert made.meeting(meeting_id).title == "Họp Bcc: khac@example.vn"
