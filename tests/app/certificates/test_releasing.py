"""A suspended certificate comes back by two people, and never by its holder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.approvals import service as approvals
from app.approvals.models import ActState
from app.certificates import register, revocations, revocations_release
from app.certificates.models import Certificate
from app.core import db
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.permissions import Actor, Grant, Role
from app.core.settings import Settings
from pki.revocation import RevocationReason
from tests.factories.certificates import actor, another_administrator, issued_to


@pytest.fixture
def held(city: Settings) -> Certificate:
    certificate = issued_to("minh")
    suspend(certificate)
    return certificate


def suspend(certificate: Certificate) -> None:
    with db.transaction() as session:
        hold = RevocationReason.CERTIFICATE_HOLD
        revocations.revoke(session, actor("oanh"), certificate.id, reason=hold, now=datetime.now(UTC))


def ask_for(certificate: Certificate, by: Actor) -> approvals.Act:
    with db.transaction() as session:
        return revocations_release.request(session, by, certificate.id, now=datetime.now(UTC))


def decide(act: approvals.Act, by: Actor) -> approvals.Act:
    with db.transaction() as session:
        return approvals.approve(session, by, act.id, digest=act.digest_hex, now=datetime.now(UTC))


def state_of(certificate: Certificate) -> str:
    with db.transaction() as session:
        return register.find(session, certificate.id).state


def test_it_is_released_when_another_person_approves(held: Certificate) -> None:
    act = ask_for(held, actor("oanh"))
    assert state_of(held) == "held"
    assert decide(act, another_administrator()).state == ActState.EXECUTED
    assert state_of(held) == "issued"


def test_who_asked_does_not_approve(held: Certificate) -> None:
    act = ask_for(held, actor("oanh"))
    with pytest.raises(Forbidden):
        decide(act, actor("oanh"))
    assert state_of(held) == "held"


def test_the_holder_neither_asks_nor_approves(held: Certificate) -> None:
    minh = actor("minh")
    as_administrator = Actor(minh.account_id, minh.person_id, "x", (*minh.grants, Grant(Role.ADMINISTRATOR, None)))
    with pytest.raises(Forbidden):
        ask_for(held, as_administrator)
    act = ask_for(held, actor("oanh"))
    with pytest.raises(Forbidden):
        decide(act, as_administrator)
    assert state_of(held) == "held"


def test_asking_twice_gives_the_same_act(held: Certificate) -> None:
    assert ask_for(held, actor("oanh")).id == ask_for(held, actor("oanh")).id


def test_what_was_revoked_meanwhile_stays_revoked(held: Certificate) -> None:
    act = ask_for(held, actor("oanh"))
    with db.transaction() as session:
        reason = RevocationReason.KEY_COMPROMISE
        revocations.revoke(session, actor("oanh"), held.id, reason=reason, now=datetime.now(UTC))
    assert decide(act, another_administrator()).state == ActState.FAILED
    assert state_of(held) == "revoked"


def test_only_what_is_suspended_is_asked_for_and_only_in_the_scope(city: Settings) -> None:
    certificate = issued_to("minh")
    with pytest.raises(Conflict):
        ask_for(certificate, actor("oanh"))
    suspend(certificate)
    with pytest.raises(NotFound):
        ask_for(certificate, actor("dung"))


def test_the_request_says_why_it_was_suspended_and_by_whom(held: Certificate) -> None:
    with db.transaction() as session:
        cause, who = revocations_release.why_held(session, register.find(session, held.id))
    assert str(cause) == "An administrator suspended it"
    assert "Oanh" in str(who)
