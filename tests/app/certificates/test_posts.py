"""When a post is left or an agency merged, the house proposes and nothing happens by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.alarms.models import Alarm
from app.certificates import posts, register, revocations
from app.certificates.life_models import Cause, Decision, Proposal
from app.certificates.models import Certificate
from app.core import db
from app.core.errors import Conflict, NotFound
from app.core.permissions import Actor, Grant, Role, house
from app.core.settings import Settings
from app.registry import service as registry
from app.registry.models import Agency, Post
from pki.revocation import RevocationReason
from tests.factories.certificates import actor, issued_to

HOUSE = house("test")
NOW = datetime.now(UTC)


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    return issued_to("minh")


def leave(certificate: Certificate) -> None:
    with db.transaction() as session:
        session.execute(update(Post).where(Post.person_id == certificate.person_id).values(ended_at=NOW))


def propose(now: datetime = NOW) -> int:
    with db.transaction() as session:
        return posts.propose(session, HOUSE, now=now)


def decide(decision: Decision, by: Actor | None = None) -> None:
    with db.transaction() as session:
        proposal = session.scalars(select(Proposal)).one()
        posts.decide(session, by or actor("oanh"), proposal.id, decision, now=NOW)


def state_of(certificate: Certificate) -> str:
    with db.transaction() as session:
        return register.find(session, certificate.id).state


def test_nothing_is_proposed_while_the_post_is_held(minhs: Certificate) -> None:
    assert propose() == 0


def test_a_left_post_is_proposed_once_and_changes_nothing_by_itself(minhs: Certificate) -> None:
    leave(minhs)
    assert [propose(), propose()] == [1, 0]
    assert state_of(minhs) == "issued"
    with db.transaction() as session:
        (found,) = posts.pending(session, actor("oanh"))
    assert (found.certificate.id, found.proposal.cause) == (minhs.id, Cause.LEFT_POST)


@pytest.mark.parametrize(
    ("decision", "state"), [(Decision.SUSPEND, "held"), (Decision.REVOKE, "revoked"), (Decision.KEEP, "issued")]
)
def test_a_decision_is_carried_out_once(minhs: Certificate, decision: Decision, state: str) -> None:
    leave(minhs)
    propose()
    decide(decision)
    decide(decision)
    assert state_of(minhs) == state
    with pytest.raises(Conflict):
        decide(Decision.KEEP if decision is not Decision.KEEP else Decision.REVOKE)
    assert propose() == 0


def test_an_administrator_of_another_agency_sees_no_proposal(minhs: Certificate) -> None:
    leave(minhs)
    propose()
    with db.transaction() as session:
        ward = session.scalars(select(Agency.id).where(Agency.code == "H99.03")).one()
        elsewhere = Actor(actor("oanh").account_id, None, "x", (Grant(Role.ADMINISTRATOR, ward),))
        assert posts.count_pending(session, elsewhere) == 0
    with pytest.raises(NotFound):
        decide(Decision.REVOKE, by=elsewhere)
    assert state_of(minhs) == "issued"


def test_what_was_revoked_meanwhile_asks_for_no_decision(minhs: Certificate) -> None:
    leave(minhs)
    propose()
    with db.transaction() as session:
        reason = RevocationReason.AFFILIATION_CHANGED
        revocations.revoke(session, actor("oanh"), minhs.id, reason=reason, now=NOW)
    propose()
    with db.transaction() as session:
        assert posts.count_pending(session, actor("oanh")) == 0


def test_a_day_without_a_decision_raises_one_alarm(minhs: Certificate) -> None:
    leave(minhs)
    propose()
    for late, alarms in ((timedelta(hours=23, minutes=59), 0), (timedelta(hours=24), 1), (timedelta(hours=30), 1)):
        with db.transaction() as session:
            posts.warn(session, now=NOW + late)
        with db.transaction() as session:
            query = select(func.count()).where(Alarm.kind == "proposals_waiting")
            assert session.scalar(query) == alarms


def test_a_merged_agency_moves_its_posts_and_proposes_its_seal(minhs: Certificate) -> None:
    with db.transaction() as session:
        old = session.get_one(Agency, minhs.agency_id)
        new = session.scalars(select(Agency).where(Agency.code == "H99.03")).one()
        held = session.scalar(select(func.count()).where(Post.agency_id == old.id, Post.ended_at.is_(None)))
        assert registry.merge_agency(session, old, new, actor=HOUSE, now=NOW) == held
        assert registry.merge_agency(session, old, new, actor=HOUSE, now=NOW) == 0
        with pytest.raises(Conflict):
            registry.merge_agency(session, new, old, actor=HOUSE, now=NOW)
    propose()
    with db.transaction() as session:
        found = posts.pending(session, actor("oanh"))
        causes = {one.proposal.cause for one in found}
        profiles = {one.certificate.profile for one in found}
        assert (
            session.scalar(select(func.count()).where(Post.agency_id == minhs.agency_id, Post.ended_at.is_(None))) == 0
        )
    assert causes == {Cause.AGENCY_MERGED}
    assert {"agency_seal", "pass_signer", "official_signing"} <= profiles
