"""Guests say whether they come: on their own page, until the meeting begins; the organiser counts and reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Conflict, Invalid
from app.core.settings import Settings
from app.core.storage import Storage
from app.meetings import answers, retention
from app.meetings.models import Guest, PassState, Reply
from tests.factories import meetings as made
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def page_of(guest_id: UUID) -> str:
    return made.page_of(made.letters_to(guest_id)[0])


def say(client: FlaskClient, guest_id: UUID, answer: str, note: str = "") -> int:
    form = {"csrf_token": csrf_token(client, "/sign-in"), "answer": answer, "note": note}
    return client.post(f"{page_of(guest_id)}/answer", data=form).status_code


def answered() -> int:
    with db.transaction() as session:
        return len(session.scalars(select(AuditEntry).where(AuditEntry.act == "invitation_answered")).all())


def test_an_answer_is_kept_shown_and_changed_and_the_pass_stays(
    city: Settings, client: FlaskClient, sign_in: SignIn
) -> None:
    meeting_id, guest_id = made.invited(city)
    assert say(client, guest_id, "no", "Tôi đi công tác") == 302
    assert "Bạn đã trả lời: không đến được" in client.get(page_of(guest_id)).get_data(as_text=True)
    organiser = sign_in("minh").get(f"/meetings/{meeting_id}").get_data(as_text=True)
    assert "không đến: “Tôi đi công tác”" in organiser
    assert "không đến: 1" in organiser
    assert say(client, guest_id, "yes") == 302
    assert made.guest(guest_id).answer == Reply.YES
    assert [one.state for one in made.passes_of(guest_id)] == [PassState.VALID]


def test_the_same_answer_again_is_written_once(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    assert [say(client, guest_id, "maybe") for _ in range(3)] == [302] * 3
    assert answered() == 1


@pytest.mark.parametrize(("reply", "note"), [("none", ""), ("", ""), ("perhaps", ""), ("yes", "x" * 301)])
def test_what_is_no_answer_changes_nothing(city: Settings, client: FlaskClient, reply: str, note: str) -> None:
    _, guest_id = made.invited(city)
    assert say(client, guest_id, reply, note) == 422
    assert made.guest(guest_id).answer == Reply.NONE


def test_after_the_beginning_or_the_end_of_the_invitation_no_answer_counts(city: Settings, client: FlaskClient) -> None:
    meeting_id, guest_id = made.invited(city)
    begins = made.meeting(meeting_id).starts_at
    with db.transaction() as session, pytest.raises(Conflict):
        answers.answer(session, session.get_one(Guest, guest_id), Reply.YES, "", now=begins)
    with db.transaction() as session, pytest.raises(Invalid):
        answers.answer(session, session.get_one(Guest, guest_id), Reply.NONE, "", now=begins - timedelta(hours=1))
    made.remove(meeting_id, guest_id)
    assert say(client, guest_id, "yes") == 409
    assert "Câu trả lời của bạn" not in client.get(page_of(guest_id)).get_data(as_text=True)
    assert answered() == 0


def test_the_list_shows_who_gave_one_answer(city: Settings, client: FlaskClient, sign_in: SignIn) -> None:
    meeting_id = made.call()
    ids = [made.add(meeting_id), made.add(meeting_id, made.NewGuest("Trần Bình", "binh@example.vn", ""))]
    made.send(meeting_id)
    made.run_jobs(city)
    say(client, ids[0], "yes")
    organiser = sign_in("minh")
    came = organiser.get(f"/meetings/{meeting_id}?answer=yes").get_data(as_text=True)
    open_still = organiser.get(f"/meetings/{meeting_id}?answer=none").get_data(as_text=True)
    assert ("lan@example.vn" in came, "binh@example.vn" in came) == (True, False)
    assert ("lan@example.vn" in open_still, "binh@example.vn" in open_still) == (False, True)


def test_a_note_is_forgotten_with_the_name(city: Settings, client: FlaskClient) -> None:
    meeting_id, guest_id = made.invited(city)
    say(client, guest_id, "no", "Tôi ốm")
    ends = made.meeting(meeting_id).ends_at
    with db.transaction() as session:
        retention.forget(session, Storage(city.data_dir / "objects"), now=ends + timedelta(days=31))
    assert (made.guest(guest_id).answer_note, made.guest(guest_id).answer) == ("", Reply.NO)
