"""Many certificates in one act: the dry run, the second person, the job that may die, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from sqlalchemy import func, select, text, update

from app.approvals import service as approvals
from app.approvals.models import ActState
from app.audit.models import AuditEntry
from app.certificates import bulk_revocation, crls, revocations, tasks
from app.certificates.bulk_revocation import Wish
from app.certificates.life_models import BulkKind, BulkRevocation, BulkRow, BulkState, Finding
from app.certificates.models import BlockedKey, Certificate, CertificateState, Revocation
from app.core import db
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Grant, Role
from app.core.settings import Settings
from app.registry.models import Agency
from pki.revocation import RevocationReason, RevokedBy, allowed_reasons
from tests.factories.certificates import actor, another_administrator, issued_to

NOW = datetime.now(UTC)
LOST = Wish(BulkKind.REVOKE, RevocationReason.KEY_COMPROMISE)
HOLD = Wish(BulkKind.SUSPEND)


def many(like: Certificate, count: int) -> list[str]:
    """Add certificates that look like one that was issued; return their serial numbers."""
    serials = [f"{one:036x}" for one in range(16**35, 16**35 + count)]
    with db.transaction() as session:
        session.add_all(
            Certificate(
                authority_id=like.authority_id,
                serial=bytes.fromhex(serial),
                shard=number % 4,
                state=CertificateState.ISSUED,
                profile=like.profile,
                profile_digest=like.profile_digest,
                agency_id=like.agency_id,
                label=like.label,
                search_name=like.search_name,
                not_before=like.not_before,
                not_after=like.not_after,
                spki_sha256=serial,
                der=b"x",
                sha256=serial,
                created_at=NOW,
            )
            for number, serial in enumerate(serials)
        )
    return serials


def draft(text_: str, wish: Wish, by: Actor | None = None) -> BulkRevocation:
    with db.transaction() as session:
        return bulk_revocation.draft_list(session, by or actor("oanh"), text_, wish, now=datetime.now(UTC))


def submit(bulk: BulkRevocation) -> approvals.Act:
    with db.transaction() as session:
        return bulk_revocation.submit(session, actor("oanh"), bulk.id, now=datetime.now(UTC))


def approve(act: approvals.Act, by: Actor | None = None) -> approvals.Act:
    with db.transaction() as session:
        return approvals.approve(
            session, by or another_administrator(), act.id, digest=act.digest_hex, now=datetime.now(UTC)
        )


def found(bulk_id: UUID) -> BulkRevocation:
    with db.transaction() as session:
        return session.get_one(BulkRevocation, bulk_id)


def states(serials: list[str]) -> set[str]:
    with db.transaction() as session:
        wanted = [bytes.fromhex(one) for one in serials]
        return set(session.scalars(select(Certificate.state).where(Certificate.serial.in_(wanted))))


def carried_out(bulk: BulkRevocation) -> BulkRevocation:
    assert approve(submit(bulk)).state == ActState.EXECUTED
    tasks.work_off_list.func(str(bulk.id))
    return found(bulk.id)


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    return issued_to("minh")


def test_the_dry_run_says_of_each_line_what_was_found(minhs: Certificate) -> None:
    colons = ":".join(minhs.serial_hex[at : at + 2] for at in range(0, len(minhs.serial_hex), 2)).upper()
    bulk = draft(f"serial;name\n{colons};Minh\n\n{minhs.serial_hex}\nabcdef12\nkhông phải số\n", LOST)
    with db.transaction() as session:
        rows = session.scalars(select(BulkRow).where(BulkRow.bulk_id == bulk.id).order_by(BulkRow.number)).all()
    assert [row.finding for row in rows] == [Finding.READY, Finding.TWICE, Finding.NOT_FOUND, Finding.UNREADABLE]
    assert (bulk.rows, bulk.ready) == (4, 1)
    assert states([minhs.serial_hex]) == {"issued"}


def test_a_list_is_revoked_when_another_person_approves_and_only_then(minhs: Certificate) -> None:
    serials = many(minhs, 30)
    bulk = draft("\n".join(serials), LOST)
    act = submit(bulk)
    with pytest.raises(Forbidden):
        approve(act, by=actor("oanh"))
    tasks.work_off_list.func(str(bulk.id))
    assert states(serials) == {"issued"}
    done = carried_out(bulk)
    assert (done.state, done.changed, done.skipped) == (BulkState.DONE, 30, 0)
    assert states(serials) == {"revoked"}
    assert states([minhs.serial_hex]) == {"issued"}


def test_every_certificate_has_its_entry_its_log_and_its_blocked_key(minhs: Certificate) -> None:
    serials = many(minhs, 25)
    since = minhs.not_before + timedelta(seconds=20)
    carried_out(draft("\n".join(serials), replace(LOST, invalidity_date=since)))
    with db.transaction() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.act == "certificate_revoked")).all()
        assert {entry.facts["serial"] for entry in entries} == set(serials)
        assert {entry.facts["reason"] for entry in entries} == {"key_compromise"}
        assert session.scalar(select(func.count()).select_from(BlockedKey)) == 25
        rows = session.scalars(select(Revocation)).all()
        assert {row.invalidity_date for row in rows} == {since}
    tasks.publish_due.func()
    listed = set()
    with db.transaction() as session:
        for shard in range(minhs.authority.shards):
            newest = crls.newest(session, minhs.authority_id, shard)
            assert newest is not None
            listed |= {f"{one.serial_number:036x}" for one in x509.load_der_x509_crl(newest.der)}
    on_a_shard_that_is_there = {one for number, one in enumerate(serials) if number % 4 < minhs.authority.shards}
    assert listed == on_a_shard_that_is_there


def test_a_job_that_dies_between_chunks_goes_on_and_does_nothing_twice(
    minhs: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_revocation, "CHUNK", 10)
    serials = many(minhs, 35)
    bulk = draft("\n".join(serials), LOST)
    approve(submit(bulk))
    with db.transaction() as session:
        assert bulk_revocation.work_off(session, actor("oanh"), bulk.id, now=NOW)
    assert found(bulk.id).changed == 10
    tasks.go_on_with_lists.func(0)
    assert (found(bulk.id).changed, found(bulk.id).state) == (35, BulkState.DONE)
    tasks.work_off_list.func(str(bulk.id))
    with db.transaction() as session:
        query = select(func.count()).where(AuditEntry.act == "certificate_revoked")
        assert session.scalar(query) == 35


def test_what_ended_meanwhile_is_skipped_and_said_so(minhs: Certificate) -> None:
    bulk = draft(minhs.serial_hex, LOST)
    act = submit(bulk)
    with db.transaction() as session:
        reason = RevocationReason.SUPERSEDED
        revocations.revoke(session, actor("oanh"), minhs.id, reason=reason, now=datetime.now(UTC))
    approve(act)
    tasks.work_off_list.func(str(bulk.id))
    assert (found(bulk.id).changed, found(bulk.id).skipped) == (0, 1)
    with db.transaction() as session:
        assert session.get_one(Revocation, minhs.id).reason == reason


def test_a_list_that_was_changed_after_it_was_asked_for_is_not_carried_out(minhs: Certificate) -> None:
    serials = many(minhs, 3)
    bulk = draft("\n".join(serials[:2]), LOST)
    act = submit(bulk)
    with db.transaction() as session:
        other = session.scalars(select(Certificate.id).where(Certificate.serial == bytes.fromhex(serials[2]))).one()
        session.execute(
            update(BulkRow).where(BulkRow.bulk_id == bulk.id, BulkRow.number == 1).values(certificate_id=other)
        )
    assert approve(act).state == ActState.FAILED
    tasks.work_off_list.func(str(bulk.id))
    assert states(serials) == {"issued"}


def test_a_suspension_of_many_is_undone_by_two_people_but_not_for_oneself(minhs: Certificate) -> None:
    serials = many(minhs, 5)
    done = carried_out(draft("\n".join([*serials, minhs.serial_hex]), HOLD))
    assert states(serials) == {"held"}
    with db.transaction() as session:
        back = bulk_revocation.draft_undo(session, actor("oanh"), done.id, now=datetime.now(UTC))
    assert back.ready == 6
    carried_out(back)
    assert states([*serials, minhs.serial_hex]) == {"issued"}
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Revocation)) == 0
        assert session.scalar(text("SELECT count(*) FROM hold_release")) == 6


def test_nobody_releases_their_own_with_a_list(minhs: Certificate) -> None:
    carried_out(draft(minhs.serial_hex, HOLD))
    minh = actor("minh")
    as_administrator = Actor(minh.account_id, minh.person_id, "x", (*minh.grants, Grant(Role.ADMINISTRATOR, None)))
    assert draft(minhs.serial_hex, Wish(BulkKind.RELEASE), by=as_administrator).ready == 0


def test_certificates_of_other_agencies_are_not_found_and_neither_is_the_list(minhs: Certificate) -> None:
    with db.transaction() as session:
        ward = session.scalars(select(Agency.id).where(Agency.code == "H99.03")).one()
    elsewhere = Actor(actor("oanh").account_id, None, "x", (Grant(Role.ADMINISTRATOR, ward),))
    assert draft(minhs.serial_hex, LOST, by=elsewhere).ready == 0
    bulk = draft(minhs.serial_hex, LOST)
    with pytest.raises(NotFound), db.transaction() as session:
        bulk_revocation.find(session, elsewhere, bulk.id)


def test_a_list_needs_a_reason_of_an_administrator_and_something_to_do(minhs: Certificate) -> None:
    for wish in (Wish(BulkKind.REVOKE), Wish(BulkKind.REVOKE, RevocationReason.CERTIFICATE_HOLD)):
        with pytest.raises(Invalid):
            draft(minhs.serial_hex, wish)
    with pytest.raises(Forbidden):
        draft(minhs.serial_hex, Wish(BulkKind.REVOKE, RevocationReason.CA_COMPROMISE))
    with pytest.raises(Invalid):
        draft("\n \n", LOST)
    assert RevocationReason.KEY_COMPROMISE in allowed_reasons(RevokedBy.ADMINISTRATOR)


def test_the_digest_is_of_the_act_and_the_set_not_of_the_order() -> None:
    ids = [uuid4() for _ in range(5)]
    digest = bulk_revocation.digest_of(LOST, ids)
    assert bulk_revocation.digest_of(LOST, ids[::-1]) == digest
    assert bulk_revocation.digest_of(LOST, ids[1:]) != digest
    assert bulk_revocation.digest_of(HOLD, ids) != digest
    assert bulk_revocation.digest_of(replace(LOST, invalidity_date=NOW), ids) != digest
