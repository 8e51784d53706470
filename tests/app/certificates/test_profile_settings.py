"""The validity of a profile is changed by two people, within bounds, for certificates made from then on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.certificates import expiry, profile_settings, renewals
from app.core import db
from app.core.errors import Conflict, Forbidden, Invalid
from pki.profiles import PROFILES, ProfileName
from tests.factories.certificates import actor, another_administrator, issued_to

SIGNING = ProfileName.OFFICIAL_SIGNING


def ask_for(days: int, login: str = "oanh") -> Act:
    with db.transaction() as session:
        return profile_settings.ask_for_validity(session, actor(login), SIGNING, days, now=datetime.now(UTC))


def approve(act: Act) -> Act:
    with db.transaction() as session:
        approver = another_administrator()
        return approvals.approve(session, approver, act.id, digest=act.digest_hex, now=datetime.now(UTC))


@pytest.mark.usefixtures("city")
def test_a_shorter_validity_holds_from_the_approval_on() -> None:
    act = ask_for(30)
    with db.transaction() as session:
        assert profile_settings.in_force(session, SIGNING) == PROFILES[SIGNING]
    assert approve(act).state == ActState.EXECUTED
    certificate = issued_to("minh")
    assert certificate.der is not None
    parsed = x509.load_der_x509_certificate(certificate.der)
    assert 24 <= (parsed.not_valid_after_utc - parsed.not_valid_before_utc).days <= 30
    assert certificate.profile_digest != PROFILES[SIGNING].digest
    assert len(certificate.profile_digest) == 64


@pytest.mark.usefixtures("city")
def test_a_longer_validity_reaches_the_certificate() -> None:
    approve(ask_for(365))
    certificate = issued_to("minh")
    assert (certificate.not_after - certificate.not_before).days > 300


@pytest.mark.usefixtures("city")
def test_a_renewal_opens_at_a_third_of_the_life_that_the_profile_gives_now() -> None:
    end = datetime.now(UTC)
    with db.transaction() as session:
        assert renewals.opens_at(session, ProfileName.AGENCY_SEAL, end) == end - timedelta(days=365)
        assert renewals.opens_at(session, SIGNING, end) == end - timedelta(days=30)
        assert {30, 7} == {one.days for one in expiry.steps(session) if one.profile is SIGNING}
    approve(ask_for(60))
    with db.transaction() as session:
        assert renewals.opens_at(session, SIGNING, end) == end - timedelta(days=20)
        assert {7} == {one.days for one in expiry.steps(session) if one.profile is SIGNING}


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("days", [29, 366])
def test_a_validity_outside_the_bounds_is_not_asked_for(days: int) -> None:
    with pytest.raises(Invalid):
        ask_for(days)


@pytest.mark.usefixtures("city")
def test_an_officer_or_an_auditor_changes_no_profile() -> None:
    for login in ("dung", "khoa"):
        with pytest.raises(Forbidden):
            ask_for(60, login)


@pytest.mark.usefixtures("city")
def test_the_second_of_two_changes_made_side_by_side_is_not_done() -> None:
    first, second = ask_for(60), ask_for(120)
    approve(first)
    ended = approve(second)
    assert (ended.state, ended.failure) == (ActState.FAILED, "The profile was changed in the meantime.")
    with db.transaction() as session:
        assert len(profile_settings.history(session, SIGNING)) == 1


@pytest.mark.usefixtures("city")
def test_asking_for_what_is_so_already_is_refused() -> None:
    with pytest.raises(Conflict):
        ask_for(PROFILES[SIGNING].validity.days)
