"""Suspending, releasing, revoking: who may, what it leaves, and what happens the second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.audit.models import AuditEntry
from app.certificates import crls, impact, register, revocations, service, tasks
from app.certificates.models import BlockedKey, Certificate, Crl
from app.core import db
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Grant, Role, house
from app.core.settings import Settings
from app.registry.models import Agency
from pki.revocation import RevocationReason
from tests.factories.certificates import actor, ask, issued_to

HOUSE = house("test")


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    return issued_to("minh")


def revoke(certificate: Certificate, reason: RevocationReason, by: Actor | None = None) -> None:
    with db.transaction() as session:
        revocations.revoke(session, by or actor("oanh"), certificate.id, reason=reason, now=datetime.now(UTC))


def release(certificate: Certificate, by: Actor = HOUSE) -> None:
    with db.transaction() as session:
        revocations.release(session, by, certificate.id, now=datetime.now(UTC))


def state_of(certificate: Certificate) -> str:
    with db.transaction() as session:
        return register.find(session, certificate.id).state


def listed(certificate: Certificate) -> bool:
    """Say whether the newest list of the certificate's shard holds it."""
    with db.transaction() as session:
        newest = crls.newest(session, certificate.authority_id, certificate.shard)
        assert newest is not None
        found = x509.load_der_x509_crl(newest.der)
    return found.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def test_a_revocation_is_in_the_list_and_in_the_log_of_acts(minhs: Certificate) -> None:
    assert not listed(minhs)
    revoke(minhs, RevocationReason.PRIVILEGE_WITHDRAWN)
    tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    assert listed(minhs)
    with db.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "certificate_revoked")).one()
        assert entry.facts == {"serial": minhs.serial_hex, "reason": "privilege_withdrawn"}
        assert service.current_certificate(session, actor("minh").person_id, now=datetime.now(UTC)) is None  # type: ignore[arg-type]  # an account of a person


def test_a_revocation_queues_one_list_however_many_there_are(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.CERTIFICATE_HOLD)
    release(minhs)
    revoke(minhs, RevocationReason.SUPERSEDED)
    with db.transaction() as session:
        query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'certificates.publish_due'")
        assert session.scalar(query) == 1


def test_revoking_again_changes_nothing_and_another_reason_says_so(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.SUPERSEDED)
    revoke(minhs, RevocationReason.SUPERSEDED)
    with pytest.raises(Conflict):
        revoke(minhs, RevocationReason.PRIVILEGE_WITHDRAWN)
    with db.transaction() as session:
        assert register.find(session, minhs.id).revocation.reason == RevocationReason.SUPERSEDED  # type: ignore[union-attr]  # it was revoked


def test_a_revocation_may_only_rise_to_a_lost_key_and_keeps_its_time(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.SUPERSEDED)
    with db.transaction() as session:
        before = register.find(session, minhs.id).revocation
    revoke(minhs, RevocationReason.KEY_COMPROMISE)
    tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    with db.transaction() as session:
        after = register.find(session, minhs.id).revocation
        newest = crls.newest(session, minhs.authority_id, minhs.shard)
        assert session.get(BlockedKey, minhs.spki_sha256) is not None
    assert before is not None
    assert after is not None
    assert newest is not None
    assert after.revoked_at == before.revoked_at
    entry = x509.load_der_x509_crl(newest.der).get_revoked_certificate_by_serial_number(minhs.serial_number)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert entry.revocation_date_utc == before.revoked_at
    with pytest.raises(Conflict):
        revoke(minhs, RevocationReason.SUPERSEDED)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM revocation",
        "UPDATE revocation SET reason = 5",
        "UPDATE revocation SET revoked_at = now() + interval '1 hour', reason = 1",
        "UPDATE certificate SET state = 'issued' WHERE state = 'revoked'",
        "UPDATE certificate SET state = 'held' WHERE state = 'revoked'",
    ],
)
def test_the_database_itself_refuses_to_take_a_revocation_back(minhs: Certificate, statement: str) -> None:
    revoke(minhs, RevocationReason.SUPERSEDED)
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.execute(text(statement))
    assert state_of(minhs) == "revoked"


def test_the_day_a_key_was_lost_stands_in_the_list(minhs: Certificate) -> None:
    lost = minhs.not_before + timedelta(seconds=30)
    with db.transaction() as session:
        revocations.revoke(
            session, actor("oanh"), minhs.id, reason=RevocationReason.KEY_COMPROMISE, now=datetime.now(UTC),
            invalidity_date=lost,
        )  # fmt: skip
    tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    with db.transaction() as session:
        newest = crls.newest(session, minhs.authority_id, minhs.shard)
    assert newest is not None
    entry = x509.load_der_x509_crl(newest.der).get_revoked_certificate_by_serial_number(minhs.serial_number)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == lost


@pytest.mark.parametrize("shift", [timedelta(seconds=-1), timedelta(days=1)])
def test_a_key_is_not_lost_before_its_certificate_or_in_the_future(minhs: Certificate, shift: timedelta) -> None:
    now = datetime.now(UTC)
    lost = minhs.not_before + shift if shift < timedelta(0) else now + shift
    with pytest.raises(Invalid), db.transaction() as session:
        revocations.revoke(
            session, actor("oanh"), minhs.id, reason=RevocationReason.SUPERSEDED, now=now, invalidity_date=lost
        )
    assert state_of(minhs) == "issued"


def test_a_revoked_certificate_is_not_released(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.SUPERSEDED)
    with pytest.raises(Conflict):
        release(minhs)


def test_a_compromised_key_is_blocked(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.KEY_COMPROMISE)
    with db.transaction() as session:
        assert session.get(BlockedKey, minhs.spki_sha256) is not None


def test_a_reason_of_authorities_is_not_an_administrators(minhs: Certificate) -> None:
    with pytest.raises(Forbidden):
        revoke(minhs, RevocationReason.CA_COMPROMISE)
    assert state_of(minhs) == "issued"


def test_an_administrator_of_another_agency_does_not_find_it(minhs: Certificate) -> None:
    with db.transaction() as session:
        ward = session.scalars(select(Agency.id).where(Agency.code == "H99.03")).one()
    elsewhere = Actor(actor("oanh").account_id, None, "x", (Grant(Role.ADMINISTRATOR, ward),))
    with pytest.raises(NotFound):
        revoke(minhs, RevocationReason.SUPERSEDED, by=elsewhere)


def test_the_holder_suspends_at_once_and_only_their_own(minhs: Certificate) -> None:
    with pytest.raises(NotFound), db.transaction() as session:
        revocations.suspend_own(session, actor("lan"), minhs.id, now=datetime.now(UTC))
    with db.transaction() as session:
        revocations.suspend_own(session, actor("minh"), minhs.id, now=datetime.now(UTC))
    assert state_of(minhs) == "held"
    tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    assert listed(minhs)


def test_a_release_takes_it_off_the_next_list(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.CERTIFICATE_HOLD)
    tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    release(minhs)
    release(minhs)
    tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    assert not listed(minhs)
    assert state_of(minhs) == "issued"


def test_nobody_releases_alone(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.CERTIFICATE_HOLD)
    with pytest.raises(Forbidden):
        release(minhs, actor("oanh"))
    assert state_of(minhs) == "held"


def test_a_suspended_certificate_can_be_revoked_for_good(minhs: Certificate) -> None:
    revoke(minhs, RevocationReason.CERTIFICATE_HOLD)
    revoke(minhs, RevocationReason.KEY_COMPROMISE)
    with db.transaction() as session:
        assert register.find(session, minhs.id).revocation.reason == RevocationReason.KEY_COMPROMISE  # type: ignore[union-attr]  # it was revoked


def test_numbers_of_lists_rise_by_one(minhs: Certificate) -> None:
    for _ in range(2):
        tasks.publish_crl.func(minhs.authority.name, minhs.shard)
    with db.transaction() as session:
        query = select(Crl.number).where(Crl.authority_id == minhs.authority_id, Crl.shard == minhs.shard)
        assert sorted(session.scalars(query)) == [1, 2, 3]


def test_a_revoked_pass_signer_is_told_to_the_gates_as_unusable(city: Settings) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        signer = register.pass_signers(session, now=now)[-1]
    revoke(signer.certificate, RevocationReason.CESSATION_OF_OPERATION)
    with db.transaction() as session:
        assert [one.usable for one in register.pass_signers(session, now=now) if one.kid == signer.kid] == [False]
        fallback = register.pass_signer_of(session, signer.agency.id, now=now)
        assert fallback is not None
        assert fallback.agency.id == signer.agency.parent_id


def test_the_impact_is_gathered_from_the_parts_above(minhs: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("lan")
    monkeypatch.setattr(
        impact,
        "impact_providers",
        [lambda session, chosen, *, since, now: [impact.Consequence("papers", 3), impact.Consequence("passes", 0)]],
    )
    with db.transaction() as session:
        found = impact.impact(session, impact.one(minhs), now=datetime.now(UTC))
    assert [(str(one.sentence), one.count) for one in found] == [("papers", 3)]
