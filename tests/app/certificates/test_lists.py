"""Publishing revocation lists: what brings one, what refuses one, and what a crash leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from sqlalchemy import delete, func, select, text, update

from app.alarms.models import Alarm
from app.certificates import crl_making, crls, revocations, tasks
from app.certificates.crl_models import FULL, CrlShard, ShardChange
from app.certificates.models import Authority, Certificate, Crl, Revocation
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from pki.authority import Issuer
from pki.crl import build_crl
from pki.errors import CrlRefused
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from tests.factories.certificates import actor, issued_to

HOUSE = house("test")
CITIZENS = "issuing_citizens"


@pytest.fixture
def lans(city: Settings) -> Certificate:
    return issued_to("lan")


def authority(name: str = CITIZENS) -> Authority:
    with db.transaction() as session:
        return session.scalars(select(Authority).where(Authority.name == name)).one()


def revoke(certificate: Certificate, reason: RevocationReason = RevocationReason.SUPERSEDED) -> None:
    with db.transaction() as session:
        revocations.revoke(session, actor("oanh"), certificate.id, reason=reason, now=datetime.now(UTC))


def newest(certificate: Certificate) -> Crl:
    with db.transaction() as session:
        found = crls.newest(session, certificate.authority_id, certificate.shard)
    assert found is not None
    return found


def serials(of: Crl) -> set[int]:
    return {one.serial_number for one in x509.load_der_x509_crl(of.der)}


def marks() -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(ShardChange)) or 0


def state_of(certificate: Certificate) -> CrlShard:
    with db.transaction() as session:
        return session.get_one(CrlShard, (certificate.authority_id, certificate.shard))


def replace_newest(
    certificate: Certificate, change: Callable[[Issuer, Crl, datetime], bytes], settings: Settings
) -> None:
    """Put another list in the place of the newest, signed by the authority itself."""
    with db.transaction() as session:
        found = crls.newest(session, certificate.authority_id, certificate.shard)
        assert found is not None
        issuer = crls.Signers(settings).of(session.get_one(Authority, certificate.authority_id))
        found.der = change(issuer, found, datetime.now(UTC))


def published(certificate: Certificate) -> bool:
    """Publish the shard; say whether a new list came of it."""
    before = newest(certificate).number
    tasks.publish_crl.func(certificate.authority.name, certificate.shard)
    return newest(certificate).number > before


def test_a_revocation_brings_its_own_shard_and_no_other(lans: Certificate) -> None:
    tasks.publish_due.func()
    with db.transaction() as session:
        before = {(one.authority_id, one.shard): one.number for one in session.scalars(select(CrlShard))}
    revoke(lans)
    tasks.publish_due.func()
    with db.transaction() as session:
        after = {(one.authority_id, one.shard): one.number for one in session.scalars(select(CrlShard))}
    assert {key for key in after if after[key] != before[key]} == {(lans.authority_id, lans.shard)}
    assert serials(newest(lans)) == {lans.serial_number}
    assert marks() == 0


def test_a_revocation_that_commits_while_its_shard_is_published_brings_another_list(
    lans: Certificate, settings: Settings
) -> None:
    """The publisher removes the marks that it sees; the mark of an open transaction is not among them."""
    with db.transaction() as publishing:
        lease = crls.take_one(publishing, lans.authority, lans.shard, now=datetime.now(UTC))
    with db.transaction() as publishing:
        made = crls.publish_taken(publishing, settings, lease, crls.Signers(settings), now=datetime.now(UTC))
        assert made is not None
        with db.transaction() as revoking:
            revocations.revoke(
                revoking, actor("oanh"), lans.id, reason=RevocationReason.SUPERSEDED, now=datetime.now(UTC)
            )
    assert serials(newest(lans)) == set()
    assert marks() == 1
    tasks.publish_due.func()
    assert serials(newest(lans)) == {lans.serial_number}


def test_thousands_of_changes_of_a_shard_bring_one_list(lans: Certificate) -> None:
    with db.transaction() as session:
        session.execute(
            text("INSERT INTO shard_change (authority_id, shard) SELECT :id, :shard FROM generate_series(1, 3000)"),
            {"id": lans.authority_id, "shard": lans.shard},
        )
    before = newest(lans).number
    tasks.publish_due.func()
    assert newest(lans).number == before + 1
    assert marks() == 0


def test_two_publishers_do_not_take_the_same_shard(lans: Certificate) -> None:
    revoke(lans)
    now = datetime.now(UTC)
    with db.transaction() as session:
        first = crls.take(session, now=now, count=100)
    with db.transaction() as session:
        assert crls.take(session, now=now, count=100) == []
        with pytest.raises(CrlRefused):
            crls.take_one(session, lans.authority, lans.shard, now=now)
    assert [one.shard for one in first if one.authority_id == lans.authority_id] == [lans.shard]


def test_a_publisher_whose_lease_ran_out_publishes_nothing(lans: Certificate, settings: Settings) -> None:
    revoke(lans)
    now = datetime.now(UTC)
    with db.transaction() as session:
        slow = crls.take_one(session, lans.authority, lans.shard, now=now)
    with db.transaction() as session:
        quick = crls.take_one(session, lans.authority, lans.shard, now=now + crls.LEASE)
    with db.transaction() as session:
        assert crls.publish_taken(session, settings, quick, crls.Signers(settings), now=now) is not None
        assert crls.publish_taken(session, settings, slow, crls.Signers(settings), now=now) is None
    assert newest(lans).number == quick.number == slow.number + 1


@pytest.mark.parametrize("point", ["crl.signed_before_swap", "crl.before_commit"])
def test_a_crash_leaves_a_gap_in_the_numbers_and_loses_nothing(
    lans: Certificate, settings: Settings, point: str
) -> None:
    revoke(lans)
    before = newest(lans).number
    words = [sys.executable, "-c", _PUBLISH_ONE, CITIZENS, str(lans.shard)]
    environ = os.environ | {"KYVAO_FAILPOINT": f"{point}:kill"}
    assert subprocess.run(words, env=environ, check=False, timeout=60).returncode == -9
    assert (newest(lans).number, marks()) == (before, 1)
    with db.transaction() as session:
        session.execute(update(CrlShard).values(leased_until=None))
    tasks.publish_due.func()
    assert newest(lans).number == before + 2
    assert serials(newest(lans)) == {lans.serial_number}


_PUBLISH_ONE = """
import sys
from app import models
from app.certificates import tasks
from app.core import db
from app.core.settings import load
import os

# Issuing, lists and answers are the same wherever the keys live.
KEYS_IN_BOTH = True
db.configure(load(os.environ).database_url)
tasks.publish_crl.func(sys.argv[1], int(sys.argv[2]))
"""


def test_a_lost_entry_is_refused_and_told(lans: Certificate) -> None:
    revoke(lans)
    tasks.publish_due.func()
    with db.transaction() as session:
        # What a restored backup looks like; our own trigger would not allow it.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(delete(Revocation).where(Revocation.certificate_id == lans.id))
    assert not published(lans)
    assert lans.serial_number in serials(newest(lans))
    with db.transaction() as session:
        alarm = session.scalars(select(Alarm)).one()
        assert crls.refusals(session) == [(f"{CITIZENS}/{lans.shard}", alarm.facts["why"])]
    assert (alarm.kind, alarm.object_id) == ("crl_refused", f"{CITIZENS}/{lans.shard}")
    assert lans.serial_hex.lstrip("0") in alarm.facts["why"]


def test_a_released_hold_may_leave_the_list(lans: Certificate) -> None:
    revoke(lans, RevocationReason.CERTIFICATE_HOLD)
    tasks.publish_due.func()
    assert serials(newest(lans)) == {lans.serial_number}
    with db.transaction() as session:
        revocations.release(session, HOUSE, lans.id, now=datetime.now(UTC))
    tasks.publish_due.func()
    assert serials(newest(lans)) == set()


def test_an_old_release_does_not_explain_a_later_loss(lans: Certificate) -> None:
    revoke(lans, RevocationReason.CERTIFICATE_HOLD)
    with db.transaction() as session:
        revocations.release(session, HOUSE, lans.id, now=datetime.now(UTC) - timedelta(days=3))
    revoke(lans)
    tasks.publish_due.func()
    with db.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(delete(Revocation).where(Revocation.certificate_id == lans.id))
    assert not published(lans)


def test_an_entry_leaves_one_list_after_the_end_of_its_certificate(lans: Certificate) -> None:
    revoke(lans)
    for after, expected in ((-timedelta(minutes=1), {lans.serial_number}), (timedelta(), set())):
        with db.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            ended = datetime.now(UTC) - crl_making.LIFETIME - after
            session.execute(update(Revocation).values(not_after=ended))
        assert published(lans)
        assert serials(newest(lans)) == expected


def test_a_row_that_is_no_entry_is_refused(lans: Certificate) -> None:
    revoke(lans)
    with db.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        two = encode_entry(RevokedEntry(5, datetime.now(UTC), RevocationReason.SUPERSEDED)) * 2
        session.execute(update(Revocation).values(entry_der=two))
    assert not published(lans)
    assert "does not hold what the register holds" in (state_of(lans).refusal or "")


def test_a_number_that_does_not_rise_is_refused(lans: Certificate) -> None:
    with db.transaction() as session:
        session.execute(update(CrlShard).values(number=0))
    assert not published(lans)
    assert "number does not rise" in (state_of(lans).refusal or "")


def test_a_list_with_another_address_is_refused(
    lans: Certificate, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYVAO_STATUS_URL", "http://elsewhere.example")
    assert not published(lans)
    assert "distribution point" in (state_of(lans).refusal or "")


def test_a_clock_that_went_back_is_refused(lans: Certificate, settings: Settings) -> None:
    earlier = datetime.now(UTC) - timedelta(days=1)
    with db.transaction() as session:
        lease = crls.take_one(session, lans.authority, lans.shard, now=datetime.now(UTC))
    with pytest.raises(CrlRefused, match="older"), db.transaction() as session:
        crls.publish_taken(session, settings, lease, crls.Signers(settings), now=earlier)


def test_a_list_after_one_of_another_issuer_is_refused(lans: Certificate, settings: Settings) -> None:
    with db.transaction() as session:
        last = crls.newest(session, lans.authority_id, lans.shard)
        assert last is not None
        last.der = build_crl(
            (),
            issuer=crls.Signers(settings).of(authority("issuing_officials")),
            number=last.number,
            now=datetime.now(UTC),
            lifetime=crl_making.LIFETIME,
            distribution_point=f"{settings.status_url}/crl/{CITIZENS}/{lans.shard}.crl",
        )
    assert not published(lans)
    assert "issuer is another" in (state_of(lans).refusal or "")


def test_a_refused_list_is_tried_again_after_a_minute(lans: Certificate) -> None:
    with db.transaction() as session:
        session.execute(update(CrlShard).values(number=0, next_at=datetime.now(UTC)))
        now = datetime.now(UTC)
        (lease,) = crls.take(session, now=now, count=1)
        crls.note_refusal(session, lease, CrlRefused("a reason"), now=now)
        mine = session.get_one(CrlShard, (lease.authority_id, lease.shard))
        session.refresh(mine)
        assert (mine.refusal, mine.leased_until) == ("CrlRefused: a reason", now + timedelta(minutes=1))


def test_lists_made_together_come_due_apart(city: Settings) -> None:
    with db.transaction() as session:
        lists = select(CrlShard.next_at, Crl.this_update, Crl.next_update).join(
            Crl, (Crl.authority_id == CrlShard.authority_id) & (Crl.shard == CrlShard.shard)
        )
        below = lists.join(Authority, Authority.id == Crl.authority_id).where(Authority.profile != ProfileName.ROOT)
        rows = session.execute(below).all()
    shares = [(due - this) / (end - this) for due, this, end in rows]
    assert all(0.3 <= share <= 0.5 for share in shares)
    assert len({round(share, 4) for share in shares}) == len(shares)


def test_old_lists_are_pruned(lans: Certificate) -> None:
    for _ in range(6):
        tasks.publish_crl.func(CITIZENS, lans.shard)
    with db.transaction() as session:
        query = select(Crl.number).where(Crl.authority_id == lans.authority_id, Crl.shard == lans.shard)
        assert sorted(session.scalars(query)) == [5, 6, 7]


def test_a_new_list_is_told_to_whoever_serves_it(lans: Certificate, database: str) -> None:
    import psycopg

    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as listener:
        listener.execute("LISTEN kyvao_crl")
        tasks.publish_crl.func(CITIZENS, lans.shard)
        heard = [one.payload for one in listener.notifies(timeout=5, stop_after=1)]
    assert heard == [f"{CITIZENS}/{lans.shard}"]


def test_an_authority_that_has_ended_signs_no_more_lists(lans: Certificate, settings: Settings) -> None:
    after = x509.load_der_x509_certificate(lans.authority.certificate_der).not_valid_after_utc + timedelta(seconds=1)
    with db.transaction() as session:
        lease = crls.take_one(session, lans.authority, lans.shard, now=after)
        assert crls.publish_taken(session, settings, lease, crls.Signers(settings), now=after) is None
        assert crls.take(session, now=after + timedelta(days=1), count=1000) != []
    assert state_of(lans).next_at is None


@pytest.fixture
def with_deltas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYVAO_DELTA_CRLS", "1")


def delta_of(certificate: Certificate) -> x509.CertificateRevocationList:
    der = newest(certificate).delta_der
    assert der is not None
    return x509.load_der_x509_crl(der)


def changes(delta: x509.CertificateRevocationList) -> dict[int, str]:
    """Return what a delta says of each certificate."""
    return {
        one.serial_number: one.extensions.get_extension_for_class(x509.CRLReason).value.reason.value for one in delta
    }


def test_a_delta_holds_what_changed_since_its_base(lans: Certificate, with_deltas: None) -> None:
    assert published(lans)
    assert changes(delta_of(lans)) == {}
    base = newest(lans).base_number
    for act, expected in (
        (lambda: revoke(lans, RevocationReason.CERTIFICATE_HOLD), {lans.serial_number: "certificateHold"}),
        (lambda: revoke(lans, RevocationReason.KEY_COMPROMISE), {lans.serial_number: "keyCompromise"}),
    ):
        act()
        tasks.publish_due.func()
        found = delta_of(lans)
        assert changes(found) == expected
        assert newest(lans).base_number == base
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        indicator = found.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number
        assert (number, indicator) == (newest(lans).number, base)


def test_a_delta_takes_a_released_certificate_off(lans: Certificate, with_deltas: None) -> None:
    revoke(lans, RevocationReason.CERTIFICATE_HOLD)
    tasks.publish_due.func()
    with db.transaction() as session:
        # A day later the list with the hold has become the base.
        session.execute(update(Crl).values(this_update=Crl.this_update - crl_making.BASE_LIFE))
        revocations.release(session, HOUSE, lans.id, now=datetime.now(UTC))
    tasks.publish_due.func()
    assert changes(delta_of(lans)) == {lans.serial_number: "removeFromCRL"}


def test_the_base_of_a_delta_is_kept_until_another_takes_its_place(lans: Certificate, with_deltas: None) -> None:
    published(lans)
    base = newest(lans).base_number
    for _ in range(4):
        assert published(lans)
    with db.transaction() as session:
        query = select(Crl.number).where(Crl.authority_id == lans.authority_id, Crl.shard == lans.shard)
        kept = sorted(session.scalars(query))
        session.execute(update(Crl).values(this_update=Crl.this_update - crl_making.BASE_LIFE))
    assert kept[0] == base
    assert len(kept) == 4
    last = newest(lans).number
    assert published(lans)
    assert newest(lans).base_number == last


def test_without_the_option_there_is_no_delta_and_no_pointer_to_one(lans: Certificate) -> None:
    assert published(lans)
    assert newest(lans).delta_der is None
    with pytest.raises(x509.ExtensionNotFound):
        x509.load_der_x509_crl(newest(lans).der).extensions.get_extension_for_class(x509.FreshestCRL)


def full(certificate: Certificate) -> Crl | None:
    with db.transaction() as session:
        return crls.newest(session, certificate.authority_id, FULL)


def test_the_list_of_everything_is_made_each_hour_while_it_is_wanted(
    lans: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke(lans)
    tasks.publish_due.func()
    assert full(lans) is None
    monkeypatch.setenv("KYVAO_FULL_CRLS", "1")
    tasks.publish_due.func()
    tasks.publish_due.func()
    made = full(lans)
    assert made is not None
    assert (serials(made), made.number) == ({lans.serial_number}, 1)
    with db.transaction() as session:
        row = session.get_one(CrlShard, (lans.authority_id, FULL))
        assert row.next_at == made.this_update + crl_making.FULL_EVERY
    monkeypatch.delenv("KYVAO_FULL_CRLS")
    tasks.publish_due.func()
    assert full(lans) is None
