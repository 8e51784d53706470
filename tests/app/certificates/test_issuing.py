"""Issuing survives a crash between any two of its steps, and never signs twice."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography import x509
from sqlalchemy import func, select, update

from app.certificates import key_access, register, tasks
from app.certificates import personal_issuance as issuing
from app.certificates.crl_models import CrlShard
from app.certificates.journal import SigningJournal
from app.certificates.models import (
    Authority,
    BlockedKey,
    Certificate,
    CertificateRequest,
    CertificateState,
    Crl,
    Revocation,
)
from app.core import db
from app.core.settings import Settings
from pki.errors import KeyUnavailable
from tests.factories.certificates import actor, approve, ask, issued_to

# Issuing, lists and answers are the same wherever the keys live.
KEYS_IN_BOTH = True


@pytest.fixture
def approved(city: Settings) -> UUID:
    request_id = ask("minh")
    approve(request_id)
    return request_id


def record_intent(city: Settings, request_id: UUID) -> Certificate:
    with db.transaction() as session:
        intent = issuing.record_intent(session, city, request_id, now=datetime.now(UTC))
        assert intent is not None
        return intent


def certificates_of(login: str) -> list[Certificate]:
    with db.transaction() as session:
        query = select(Certificate).where(Certificate.person_id == actor(login).person_id)
        return list(session.scalars(query.order_by(Certificate.created_at)).unique())


def test_an_official_is_named_with_agency_and_post(city: Settings) -> None:
    certificate = issued_to("minh")
    assert certificate.der is not None
    parsed = x509.load_der_x509_certificate(certificate.der)
    named = {one.oid._name: one.value for one in parsed.subject}
    assert named["commonName"] == "Trần Văn Minh"
    assert named["organizationName"] == "Sở Khoa học và Công nghệ"
    assert named["title"] == "Chuyên viên"
    assert str(named["serialNumber"]).startswith("XX:VN-")


def test_a_citizen_is_named_without_an_agency(city: Settings) -> None:
    certificate = issued_to("lan")
    assert certificate.der is not None
    names = {one.oid._name for one in x509.load_der_x509_certificate(certificate.der).subject}
    assert "organizationName" not in names


def test_running_the_job_again_changes_nothing(city: Settings, approved: UUID) -> None:
    for _ in range(3):
        tasks.issue.func(str(approved))
    assert [one.state for one in certificates_of("minh")] == [CertificateState.ISSUED]


def test_a_crash_after_the_intent_is_finished_with_the_same_serial_number(city: Settings, approved: UUID) -> None:
    intent = record_intent(city, approved)
    tasks.issue.func(str(approved))
    (issued,) = certificates_of("minh")
    assert (issued.serial, issued.state, issued.tbs_der) == (intent.serial, CertificateState.ISSUED, intent.tbs_der)


def test_a_crash_after_signing_finds_the_certificate_in_the_journal_and_signs_nothing(
    city: Settings, approved: UUID
) -> None:
    intent = record_intent(city, approved)
    key = key_access.load(city, intent.authority.key_reference)
    signed = issuing.sign(intent, key, SigningJournal(city.data_dir))
    before = sorted((city.data_dir / "signing-journal").rglob("*"))
    tasks.issue.func(str(approved))
    (issued,) = certificates_of("minh")
    assert issued.der == signed
    assert sorted((city.data_dir / "signing-journal").rglob("*")) == before


def test_a_crash_while_signing_abandons_the_serial_number_and_takes_another(city: Settings, approved: UUID) -> None:
    intent = record_intent(city, approved)
    SigningJournal(city.data_dir).begin(intent.tbs_der)
    tasks.issue.func(str(approved))
    tasks.issue.func(str(approved))
    abandoned, issued = certificates_of("minh")
    assert (abandoned.state, abandoned.der) == (CertificateState.ABANDONED, None)
    assert issued.state == CertificateState.ISSUED
    assert issued.serial != intent.serial
    with db.transaction() as session:
        assert session.get(Revocation, abandoned.id) is not None


def test_a_file_of_the_journal_cut_off_by_a_crash_counts_as_not_written(city: Settings, approved: UUID) -> None:
    intent = record_intent(city, approved)
    tbs_der = intent.tbs_der or b""
    journal = SigningJournal(city.data_dir)
    journal.begin(tbs_der)
    digest = hashlib.sha256(tbs_der).hexdigest()
    (city.data_dir / "signing-journal" / digest[:2] / ".half").write_bytes(b"half a certificate")
    found = journal.look_up(tbs_der)
    assert (found.begun, found.certificate_der) == (True, None)


@pytest.mark.files_only
def test_nothing_is_signed_when_the_key_is_missing_and_the_job_can_be_run_again(city: Settings, approved: UUID) -> None:
    path = city.data_dir / "keys" / "worker" / "issuing_officials.pem"
    path.rename(path.with_suffix(".away"))
    with pytest.raises(KeyUnavailable):
        tasks.issue.func(str(approved))
    path.with_suffix(".away").rename(path)
    tasks.issue.func(str(approved))
    assert [one.state for one in certificates_of("minh")] == [CertificateState.ISSUED]


def test_a_key_that_was_blocked_meanwhile_gets_no_certificate(city: Settings, approved: UUID) -> None:
    with db.transaction() as session:
        request = session.get_one(CertificateRequest, approved)
        session.add(BlockedKey(spki_sha256=request.spki_sha256, blocked_at=datetime.now(UTC)))
    tasks.issue.func(str(approved))
    assert certificates_of("minh") == []
    with db.transaction() as session:
        assert session.get_one(CertificateRequest, approved).state == "failed"


def test_every_serial_number_is_another(city: Settings) -> None:
    with db.transaction() as session:
        count, different = session.execute(
            select(func.count(Certificate.serial), func.count(Certificate.serial.distinct()))
        ).one()
    assert count == different > 10


def test_the_city_can_be_asked_for_what_is_trusted_and_who_signs_passes(city: Settings) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        roots, intermediates = register.trust_material(session)
        signers = register.pass_signers(session, now=now)
        lists = register.newest_crls(session, {("issuing_citizens", 3), ("tsa_authority", 0), ("nobody", 0)})
    assert (len(roots), len(intermediates)) == (1, 5)
    assert len({signer.kid for signer in signers}) == len(signers) == 6
    assert all(signer.usable for signer in signers)
    # Those of the two authorities, and always the root's.
    assert len(lists) == 3


@pytest.mark.files_only
def test_a_list_that_cannot_be_signed_does_not_stop_the_others(city: Settings) -> None:
    (city.data_dir / "keys" / "worker" / "issuing_citizens.pem").unlink()
    with db.transaction() as session:
        root = session.scalars(select(Authority.id).where(Authority.name == "root")).one()
    with db.transaction() as session:
        session.execute(update(CrlShard).where(CrlShard.authority_id != root).values(next_at=datetime.now(UTC)))
    tasks.publish_due.func()
    with db.transaction() as session:
        second = set(session.scalars(select(Authority.name).join(Crl).where(Crl.number == 2)))
    assert second == {"issuing_officials", "issuing_seals", "issuing_services", "tsa_authority"}
