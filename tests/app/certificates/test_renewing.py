"""Renewing: the old key vouches for the new one, while the registry says the same; the old certificate ends later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy import select, update

from app.certificates import register, renewals, renewals_by_holder, requests, revocations, tasks
from app.certificates.life_models import Succession
from app.certificates.models import Certificate, CertificateRequest, RequestState
from app.certificates.renewals_by_holder import Standing
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import house
from app.core.settings import Settings
from app.registry.models import Person
from pki import renewal
from pki.keys import Curve, SoftwareKey
from pki.revocation import RevocationReason
from tests.factories.certificates import actor, issued_to
from tests.factories.csrs import csr_der

HOUSE = house("test")
OLD = SoftwareKey.generate(Curve.P256)


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    return issued_to("minh", OLD)


def late(certificate: Certificate) -> datetime:
    """Return a moment at which the certificate may be renewed."""
    return certificate.not_after - timedelta(days=10)


def proof_of(key: SoftwareKey, csr: bytes) -> bytes:
    signature = key.private_key.sign(renewal.signed_content(csr), ec.ECDSA(hashes.SHA256()))  # type: ignore[call-arg,arg-type,union-attr]  # a P-256 key
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def renew(
    certificate: Certificate,
    *,
    login: str = "minh",
    old: SoftwareKey = OLD,
    new: SoftwareKey | None = None,
    now: datetime | None = None,
) -> CertificateRequest:
    at, who = now or late(certificate), actor(login)
    with db.transaction() as session:
        challenge = requests.new_challenge(session, who, now=at)
        csr = csr_der(new or SoftwareKey.generate(Curve.P256), challenge)
        return renewals_by_holder.renew(
            session, who, certificate.id, csr, challenge=challenge, proof=proof_of(old, csr), now=at
        )


def standing(certificate: Certificate, now: datetime) -> Standing:
    with db.transaction() as session:
        return renewals_by_holder.standing(session, register.find(session, certificate.id), now=now)


def request_of(request_id: UUID) -> CertificateRequest:
    with db.transaction() as session:
        return session.get_one(CertificateRequest, request_id)


def test_the_old_key_renews_without_an_officer_and_the_old_certificate_ends_a_week_later(minhs: Certificate) -> None:
    request = renew(minhs)
    assert request.state == RequestState.APPROVED
    assert request.decided_by is None
    tasks.issue.func(str(request.id))
    with db.transaction() as session:
        made = register.find(session, request_of(request.id).certificate_id)  # type: ignore[arg-type]  # it was issued
        assert made.label == minhs.label
        assert made.spki_sha256 != minhs.spki_sha256
        assert register.find(session, minhs.id).state == "issued"
        planned = session.get_one(Succession, minhs.id)
        assert planned.successor_id == made.id
    ends = planned.ends_at
    for moment, count, state in (
        (ends - timedelta(seconds=1), 0, "issued"),
        (ends, 1, "revoked"),
        (ends, 0, "revoked"),
    ):
        with db.transaction() as session:
            assert renewals.end_superseded(session, HOUSE, now=moment) == count
        with db.transaction() as session:
            assert register.find(session, minhs.id).state == state
    with db.transaction() as session:
        known = register.find(session, minhs.id).revocation
        assert known is not None
        assert known.reason == RevocationReason.SUPERSEDED


def test_one_that_ends_by_time_first_gets_no_entry_in_a_list(minhs: Certificate) -> None:
    with db.transaction() as session:
        soon = datetime.now(UTC) + timedelta(days=2)
        session.execute(update(Certificate).where(Certificate.id == minhs.id).values(not_after=soon))
    request = renew(minhs, now=datetime.now(UTC))
    tasks.issue.func(str(request.id))
    with db.transaction() as session:
        assert session.get_one(Succession, minhs.id).ends_at == soon
        assert renewals.end_superseded(session, HOUSE, now=soon) == 1
    with db.transaction() as session:
        assert register.find(session, minhs.id).revocation is None


def test_sending_a_renewal_twice_gives_one_request(minhs: Certificate) -> None:
    at, who = late(minhs), actor("minh")
    with db.transaction() as session:
        challenge = requests.new_challenge(session, who, now=at)
    csr = csr_der(SoftwareKey.generate(Curve.P256), challenge)
    made = []
    for _ in range(2):
        with db.transaction() as session:
            made.append(
                renewals_by_holder.renew(
                    session, who, minhs.id, csr, challenge=challenge, proof=proof_of(OLD, csr), now=at
                ).id
            )
    assert made[0] == made[1]


def test_another_key_proves_nothing(minhs: Certificate) -> None:
    with pytest.raises(Invalid):
        renew(minhs, old=SoftwareKey.generate(Curve.P256))


def test_the_certificate_of_another_person_is_not_found(minhs: Certificate) -> None:
    with pytest.raises(NotFound):
        renew(minhs, login="lan")


def test_the_old_key_is_not_certified_again(minhs: Certificate) -> None:
    with pytest.raises(Conflict):
        renew(minhs, new=OLD)
    assert standing(minhs, late(minhs)) is Standing.READY


def test_it_opens_thirty_days_before_the_end(minhs: Certificate) -> None:
    opens = minhs.not_after - timedelta(days=30)
    assert standing(minhs, opens - timedelta(seconds=1)) is Standing.TOO_EARLY
    assert standing(minhs, opens) is Standing.READY
    with pytest.raises(Conflict):
        renew(minhs, now=opens - timedelta(seconds=1))
    assert standing(minhs, minhs.not_after + timedelta(seconds=1)) is Standing.NOT_USABLE


@pytest.mark.parametrize("reason", [RevocationReason.CERTIFICATE_HOLD, RevocationReason.KEY_COMPROMISE])
def test_a_key_that_is_not_good_any_more_renews_nothing(minhs: Certificate, reason: RevocationReason) -> None:
    with db.transaction() as session:
        revocations.revoke(session, actor("oanh"), minhs.id, reason=reason, now=datetime.now(UTC))
    with pytest.raises(Conflict):
        renew(minhs)


def test_who_changed_their_name_is_seen_by_an_officer(minhs: Certificate) -> None:
    with db.transaction() as session:
        person = session.get_one(Person, minhs.person_id)
        person.surname, person.full_name = "Trần Quang", "Trần Quang Minh"
    assert standing(minhs, late(minhs)) is Standing.FACTS_CHANGED
    with pytest.raises(Conflict):
        renew(minhs)


def test_who_left_the_post_is_seen_by_an_officer(minhs: Certificate) -> None:
    with db.transaction() as session:
        person = session.get_one(Person, minhs.person_id)
        for post in person.posts:
            post.ended_at = datetime.now(UTC)
    assert standing(minhs, late(minhs)) is Standing.FACTS_CHANGED


def test_a_renewal_is_not_issued_when_the_old_key_was_lost_before(minhs: Certificate) -> None:
    request = renew(minhs)
    with db.transaction() as session:
        reason = RevocationReason.KEY_COMPROMISE
        revocations.revoke(session, actor("oanh"), minhs.id, reason=reason, now=datetime.now(UTC))
    tasks.issue.func(str(request.id))
    assert request_of(request.id).state == RequestState.FAILED
    with db.transaction() as session:
        query = select(Certificate.id).where(Certificate.spki_sha256 == request.spki_sha256)
        assert session.scalars(query).all() == []
