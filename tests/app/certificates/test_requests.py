"""Asking for a certificate, and who may decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy.exc
from sqlalchemy import select, text, update

from app.accounts import service as accounts
from app.approvals import policy
from app.audit.models import AuditEntry
from app.certificates import register, requests
from app.certificates.models import BlockedKey, CertificateRequest, RequestState
from app.core import db
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from app.core.permissions import Role, house
from app.core.settings import Settings
from app.registry.models import Agency
from pki.csr import parse
from pki.keys import Curve, SoftwareKey
from tests.factories.certificates import actor, approve, ask, issued_to
from tests.factories.csrs import csr_der


def now() -> datetime:
    return datetime.now(UTC)


def state_of(request_id: UUID) -> str:
    with db.transaction() as session:
        return session.scalars(select(CertificateRequest.state).where(CertificateRequest.id == request_id)).one()


def refuse(request_id: UUID, by: str) -> None:
    with db.transaction() as session:
        requests.refuse(session, actor(by), request_id, note="Xin mang căn cước đến quầy.", now=now())


def grant(login: str, role: Role, code: str | None) -> None:
    with db.transaction() as session:
        account = accounts.find_account(session, login)
        assert account is not None
        agency = session.scalar(select(Agency.id).where(Agency.code == code)) if code else None
        accounts.grant_role(session, account, role, agency_id=agency, actor=house("test"))


def test_a_citizen_and_an_official_get_requests_of_their_kind(city: Settings) -> None:
    found = {}
    for login in ("lan", "minh"):
        request_id = ask(login)
        with db.transaction() as session:
            request = session.get_one(CertificateRequest, request_id)
            found[login] = (request.profile, request.agency_id is not None)
    assert found == {"lan": ("citizen_signing", False), "minh": ("official_signing", True)}


def test_a_request_overheard_from_somebody_else_is_refused(city: Settings) -> None:
    with db.transaction() as session:
        challenge = requests.new_challenge(session, actor("lan"), now=now())
    overheard = csr_der(SoftwareKey.generate(Curve.P256), challenge)
    with pytest.raises(Invalid), db.transaction() as session:
        requests.submit(session, actor("minh"), overheard, challenge, now=now())


def test_a_challenge_is_good_once_and_for_ten_minutes(city: Settings) -> None:
    lan, key = actor("lan"), SoftwareKey.generate(Curve.P256)
    with db.transaction() as session:
        challenge = requests.new_challenge(session, lan, now=now())
    late = now() + timedelta(minutes=10, seconds=1)
    with pytest.raises(Invalid), db.transaction() as session:
        requests.submit(session, lan, csr_der(key, challenge), challenge, now=late)
    with db.transaction() as session:
        made = requests.submit(session, lan, csr_der(key, challenge), challenge, now=now()).id
    refuse(made, "dung")
    other = csr_der(SoftwareKey.generate(Curve.P256), challenge)
    with pytest.raises(Invalid), db.transaction() as session:
        requests.submit(session, lan, other, challenge, now=now())


def test_a_request_with_another_challenge_inside_is_refused(city: Settings) -> None:
    with db.transaction() as session:
        challenge = requests.new_challenge(session, actor("lan"), now=now())
    csr = csr_der(SoftwareKey.generate(Curve.P256), "another")
    with pytest.raises(Invalid), db.transaction() as session:
        requests.submit(session, actor("lan"), csr, challenge, now=now())


def test_sending_the_same_request_again_returns_the_same_one(city: Settings) -> None:
    key = SoftwareKey.generate(Curve.P256)
    with db.transaction() as session:
        challenge = requests.new_challenge(session, actor("lan"), now=now())
    csr, made = csr_der(key, challenge), []
    for _ in range(2):
        with db.transaction() as session:
            made.append(requests.submit(session, actor("lan"), csr, challenge, now=now()).id)
    assert made[0] == made[1]


def test_a_second_request_waits_until_the_first_is_decided(city: Settings) -> None:
    ask("lan")
    with pytest.raises(Conflict):
        ask("lan")


def test_the_key_of_another_certificate_is_refused(city: Settings) -> None:
    key = SoftwareKey.generate(Curve.P256)
    issued_to("minh", key)
    with pytest.raises(Conflict):
        ask("lan", key)


def test_a_compromised_key_is_refused_for_ever(city: Settings) -> None:
    key = SoftwareKey.generate(Curve.P256)
    with db.transaction() as session:
        spki_sha256 = parse(csr_der(key, "x")).spki_sha256
        session.add(BlockedKey(spki_sha256=spki_sha256, blocked_at=now()))
    with pytest.raises(Conflict):
        ask("lan", key)


def test_nobody_decides_on_their_own_request(city: Settings) -> None:
    grant("dung", Role.OFFICIAL, "H99.01")
    request_id = ask("dung")
    with pytest.raises(Forbidden):
        approve(request_id, by="dung")
    assert state_of(request_id) == RequestState.REQUESTED
    with db.transaction() as session:
        assert requests.pending(session, actor("dung")) == []


def test_the_database_itself_refuses_a_decision_by_the_requester(city: Settings) -> None:
    request_id = ask("lan")
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="decided_by_another"), db.transaction() as session:
        session.execute(
            update(CertificateRequest)
            .where(CertificateRequest.id == request_id)
            .values(decided_by=CertificateRequest.requested_by)
        )


def test_an_officer_of_another_agency_does_not_find_the_request(city: Settings) -> None:
    grant("thu", Role.REGISTRATION_OFFICER, "H99.03")
    request_id = ask("minh")
    with pytest.raises(NotFound):
        approve(request_id, by="thu")
    with db.transaction() as session:
        assert requests.pending(session, actor("thu")) == []
    grant("thu", Role.REGISTRATION_OFFICER, "H99.02")
    approve(request_id, by="thu")
    assert state_of(request_id) == RequestState.APPROVED


def test_approving_twice_queues_one_job(city: Settings) -> None:
    request_id = ask("minh")
    approve(request_id)
    approve(request_id)
    with db.transaction() as session:
        jobs = session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'certificates.issue'"))
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.object_id == str(request_id))).all()
    assert jobs == 1
    assert sorted(acts) == ["certificate_request_approved", "certificate_requested"]


def test_what_was_refused_cannot_be_approved_and_the_reason_is_kept(city: Settings) -> None:
    request_id = ask("minh")
    refuse(request_id, "dung")
    refuse(request_id, "dung")
    with pytest.raises(Conflict):
        approve(request_id)
    with db.transaction() as session:
        assert session.get_one(CertificateRequest, request_id).note == "Xin mang căn cước đến quầy."


def test_what_was_approved_cannot_be_refused(city: Settings) -> None:
    request_id = ask("minh")
    approve(request_id)
    with pytest.raises(Conflict):
        refuse(request_id, "dung")


def test_a_new_certificate_ends_the_old_one(city: Settings) -> None:
    old = issued_to("minh")
    new = issued_to("minh")
    with db.transaction() as session:
        ended = register.find(session, old.id)
        assert (ended.state, ended.revocation and ended.revocation.reason) == ("revoked", 4)
        assert register.find(session, new.id).state == "issued"


def test_an_officer_over_the_rate_is_paused_and_the_request_stays_open(city: Settings) -> None:
    policy.use(policy.Policy(officer=policy.Rate(1, timedelta(hours=1))))
    try:
        approve(ask("minh"))
        waits = ask("hanh")
        with pytest.raises(TooMany):
            approve(waits)
        with pytest.raises(Forbidden, match="paused"):
            approve(waits)
    finally:
        policy.use(None)
    with db.transaction() as session:
        assert session.get_one(CertificateRequest, waits).state == RequestState.REQUESTED
