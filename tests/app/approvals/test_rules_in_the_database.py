"""The rules of acts hold in the database itself, whatever the code above it does."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app.approvals import service
from app.approvals.models import Act, ActState, ActSubject, ActVote, ApprovalPause
from app.core import db
from tests.app.approvals.conftest import NOW, City

pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture
def act(city: City) -> Act:
    with db.transaction() as session:
        return service.request(
            session,
            city.actor("hoa"),
            "mark",
            {},
            agency_id=None,
            subject_person_ids=[city.people["tam"]],
            object_kind="account",
            object_id=city.actor("bien").account_id,
            now=NOW,
        )


def vote(session: Session, city: City, act: Act, login: str, **other: Any) -> None:
    row = {
        "act_id": act.id,
        "account_id": city.actor(login).account_id,
        "requested_by": act.requested_by,
        "digest": act.digest,
        "decision": "approve",
        "voted_at": NOW,
    }
    session.execute(insert(ActVote).values(row | other))


@pytest.mark.parametrize(
    ("login", "why"), [("hoa", "voter_is_not_the_requester"), ("tam", "about themselves"), ("bien", "about themselves")]
)
def test_requester_and_subject_have_no_vote(city: City, act: Act, login: str, why: str) -> None:
    with pytest.raises(DBAPIError, match=why), db.transaction() as session:
        vote(session, city, act, login)


def test_a_vote_cannot_name_another_requester(city: City, act: Act) -> None:
    with pytest.raises(IntegrityError, match="fk_act_vote"), db.transaction() as session:
        vote(session, city, act, "hoa", requested_by=city.actor("ba").account_id)


def test_a_vote_is_over_the_digest_of_the_act(city: City, act: Act) -> None:
    with pytest.raises(IntegrityError, match="fk_act_vote"), db.transaction() as session:
        vote(session, city, act, "ba", digest=bytes(32))


def test_a_person_votes_once(city: City, act: Act) -> None:
    with db.transaction() as session:
        vote(session, city, act, "ba")
    with pytest.raises(IntegrityError, match="pk_act_vote"), db.transaction() as session:
        vote(session, city, act, "ba", decision="refuse")


def test_no_vote_is_taken_after_the_expiry_or_the_decision(city: City, act: Act) -> None:
    with pytest.raises(DBAPIError, match="after the decision"), db.transaction() as session:
        vote(session, city, act, "ba", voted_at=act.expires_at)
    with db.transaction() as session:
        service.withdraw(session, city.actor("hoa"), act.id, now=NOW)
    with pytest.raises(DBAPIError, match="after the decision"), db.transaction() as session:
        vote(session, city, act, "ba")


@pytest.mark.parametrize("state", [ActState.EXECUTED, ActState.FAILED])
def test_nothing_is_executed_without_its_approvals(act: Act, state: ActState) -> None:
    with pytest.raises(DBAPIError, match="without its approvals"), db.transaction() as session:
        session.execute(update(Act).where(Act.id == act.id).values(state=state, decided_at=NOW))


def test_an_act_is_not_edited(act: Act) -> None:
    for change in ({"kind": "other"}, {"approvals_needed": 2}, {"object_id": "2"}, {"requested_by": uuid4()}):
        with pytest.raises(DBAPIError, match="not edited"), db.transaction() as session:
            session.execute(update(Act).where(Act.id == act.id).values(change))


def test_the_digest_is_that_of_the_request(city: City) -> None:
    row = {
        "kind": "mark",
        "canonical": b'{"subjects":[]}',
        "digest": bytes(32),
        "object_kind": "thing",
        "object_id": "1",
        "requested_by": city.actor("hoa").account_id,
        "requested_at": NOW,
        "approvals_needed": 1,
        "expires_at": NOW,
        "state": "pending",
    }
    with pytest.raises(IntegrityError, match="digest_is_of_the_request"), db.transaction() as session:
        session.execute(insert(Act).values(row))


def test_what_was_decided_stays_decided(city: City, act: Act) -> None:
    with db.transaction() as session:
        service.withdraw(session, city.actor("hoa"), act.id, now=NOW)
    with pytest.raises(DBAPIError, match="stays decided"), db.transaction() as session:
        session.execute(update(Act).where(Act.id == act.id).values(state="refused"))


def test_votes_and_subjects_are_only_added_and_only_in_their_way(city: City, act: Act) -> None:
    with db.transaction() as session:
        vote(session, city, act, "ba")
    statements = (
        update(ActVote).values(decision="refuse"),
        delete(ActVote),
        delete(ActSubject),
        insert(ActSubject).values(act_id=act.id, person_id=city.people["ba"]),
        delete(Act),
    )
    for statement in statements:
        with pytest.raises(DBAPIError, match=r"only ever added|named by its request"), db.transaction() as session:
            session.execute(statement)


def test_nobody_lifts_their_own_pause(city: City) -> None:
    own = city.actor("hoa").account_id
    with pytest.raises(IntegrityError, match="nobody_lifts_their_own"), db.transaction() as session:
        session.add(ApprovalPause(account_id=own, rate="x", paused_at=NOW, lifted_at=NOW, lifted_by=own))
