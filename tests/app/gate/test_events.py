"""A tablet's log at the server: taken once, in order, and evidence of whatever went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.core import db
from app.core.errors import Invalid
from app.core.settings import Settings
from app.gate import admissions, event_message, events, leases
from app.gate.admissions_sql import driver
from app.gate.events import Receipt
from app.gate.models import Admission, Device, Scan
from app.gate.models_leases import Incident, IncidentKind, Lease, TabletLog
from app.gate.scan_message import ScanMessage
from app.meetings import day_keys
from app.meetings.models import Meeting, Pass, PassState, Reentry
from pki.keys import Curve, SoftwareKey
from pki.passes import claims, cose, digits, rotating
from pki.passes.claims import PassFlags
from pki.passes.decision import Outcome, Reason
from pki.passes.lease import Policy
from pki.passes.scan_event import Face
from tests.factories import gate_world
from tests.factories.gate_world import World
from tests.factories.tablets import Tablet

# The city is set up when the first test asks for it, which may be long after this file was read.
NOW = datetime.now(UTC) + timedelta(hours=2)
MINUTE = timedelta(minutes=1)


def world(city: Settings, policy: Policy = Policy.STRICT, guests: int = 6) -> World:
    return gate_world.build(city, guests=guests, gates=2, policy=policy, now=NOW, agency_code="H99.02")


def send(tablet: Tablet, batch: list[dict[str, Any]] | None = None, *, now: datetime = NOW) -> Receipt:
    """Send what waits (or the given entries) and let the tablet hear the answer."""
    entries = event_message.parse({"events": tablet.batch() if batch is None else batch})
    with db.transaction() as session:
        connection = driver(session)
        who = events.sender(connection, tablet.device_id)
        assert who is not None
        receipt = events.take(connection, who, entries, now=now)
    tablet.confirm(receipt.contiguous)
    return receipt


def lend(one: World, tablet: Tablet, numbers: range, *, now: datetime = NOW) -> None:
    """Lease rights to a tablet that has booted, and let it take up the signed list."""
    with db.transaction() as session:
        leases.lend(session, tablet.device_id, [one.passes[number].pass_id for number in numbers], now=now)
    sign(one, now=now)
    take_up(tablet, now=now)


def sign(one: World, *, now: datetime = NOW) -> int:
    with db.transaction() as session:
        return leases.sign_lists(session, one.lists_key, now=now)


def take_up(tablet: Tablet, *, now: datetime = NOW) -> bool:
    with db.transaction() as session:
        return tablet.take_leases(leases.newest_list(session, tablet.device_id), now)


def booted(one: World, number: int = 0) -> Tablet:
    tablet = one.tablets[number]
    tablet.boot(NOW)
    send(tablet)
    return tablet


def counted(table: type[Any]) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def incidents() -> list[str]:
    with db.transaction() as session:
        return sorted(session.scalars(select(Incident.kind)))


def test_a_leased_pass_is_admitted_offline_and_its_entry_taken_once(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(3))
    assert tablet.scan(one.passes[0].digits, NOW).outcome is Outcome.ADMIT
    assert tablet.scan(one.passes[0].digits, NOW).reason is Reason.ALREADY_ADMITTED
    assert tablet.scan(one.passes[5].digits, NOW).reason is Reason.NO_LEASE
    batch = tablet.batch()
    answers = [send(tablet, batch) for _ in range(3)]
    assert [receipt.contiguous for receipt in answers] == [5, 5, 5]
    assert answers[0] == answers[1] == answers[2]
    assert (counted(Admission), counted(Scan), incidents()) == (1, 5, [])


def test_entries_sent_in_any_order_are_acknowledged_when_none_is_missing(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(6))
    for issued in one.passes[:4]:
        tablet.scan(issued.digits, NOW)
    batch = tablet.batch()
    assert send(tablet, batch[3:]).contiguous == 1
    assert incidents() == [IncidentKind.CHAIN_GAP]
    assert send(tablet, batch[1:3]).contiguous == 1
    assert send(tablet, batch[:1]).contiguous == 6
    assert counted(Admission) == 4


def test_a_strict_right_is_in_one_place_at_a_time(city: Settings) -> None:
    one = world(city)
    tablet, other = booted(one), booted(one, 1)
    lend(one, tablet, range(3))
    with db.transaction() as session:
        assert leases.lend(session, other.device_id, [one.passes[0].pass_id], now=NOW) == 0
        leases.recall(session, tablet.device_id, now=NOW)
    sign(one)
    tablet.scan(one.passes[0].digits, NOW)
    take_up(tablet)
    with db.transaction() as session:
        assert leases.lend(session, other.device_id, [one.passes[1].pass_id], now=NOW) == 0
    send(tablet)
    with db.transaction() as session:
        granted = [leases.lend(session, other.device_id, [issued.pass_id], now=NOW) for issued in one.passes[:3]]
    assert granted == [0, 1, 1]


def test_a_second_entry_is_an_incident_that_names_both_gates_and_times(city: Settings) -> None:
    one = world(city, Policy.LENIENT)
    first, second = booted(one), booted(one, 1)
    code = one.passes[0].digits
    assert first.scan(code, NOW, policy=Policy.LENIENT).reason is Reason.ADMITTED_UNCONFIRMED
    assert second.scan(code, NOW + MINUTE, policy=Policy.LENIENT).outcome is Outcome.ADMIT
    send(first)
    (verdict,) = send(second).verdicts
    assert (verdict.outcome, verdict.reason, verdict.incident) == (Outcome.REFUSE, Reason.ALREADY_ADMITTED, True)
    with db.transaction() as session:
        (found,) = session.scalars(select(Incident))
    gates = [found.facts[name]["checkpoint"] for name in ("first", "second")]
    assert gates == [str(first.checkpoint_id), str(second.checkpoint_id)]
    assert found.earlier_scan_id == first.last_scan_id
    assert counted(Admission) == 1


def test_a_restored_profile_is_found_out_and_has_no_authority(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    old = tablet.copy_of_profile()
    lend(one, tablet, range(6))
    tablet.scan(one.passes[0].digits, NOW)
    send(tablet)
    tablet.profile = old
    tablet.boot(NOW + MINUTE)
    tablet.scan(one.passes[1].digits, NOW + MINUTE, policy=Policy.LENIENT)
    receipt = send(tablet)
    assert receipt.void
    assert IncidentKind.CHAIN_FORK in incidents()
    assert counted(Admission) == 1
    assert not sign(one)


def online(city: Settings, tablet: Tablet, code: str, now: datetime = NOW) -> Reason:
    """Ask the server about a pass as the tablet does, with what it may by itself; write down the answer."""
    own = tablet.judge(code, now)
    message = ScanMessage(tablet.next_scan_id, code, now, own.outcome, own.reason, boot_id=tablet.boot_id)
    with db.transaction() as session:
        device = session.get_one(Device, tablet.device_id)
        said = admissions.admit(session, device, message, settings=city, operator_account_id=None, now=now).verdict
    tablet.online(code, now, said)
    return said.reason


def test_a_right_that_a_tablet_has_used_unheard_is_not_used_again_by_the_server(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(2))
    assert tablet.scan(one.passes[0].digits, NOW).outcome is Outcome.ADMIT
    assert online(city, tablet, one.passes[0].digits) is Reason.NO_LEASE
    assert online(city, tablet, one.passes[1].digits) is Reason.ADMITTED
    send(tablet)
    assert online(city, tablet, one.passes[0].digits) is Reason.ALREADY_ADMITTED
    assert (counted(Admission), incidents()) == (2, [])


def test_elsewhere_an_entry_is_known_as_soon_as_the_log_came_although_the_right_is_still_leased(city: Settings) -> None:
    one = world(city)
    tablet, other = booted(one, 0), booted(one, 1)
    lend(one, tablet, range(2))
    first, second = one.passes[0].digits, one.passes[1].digits
    tablet.scan(first, NOW)
    assert online(city, other, first) is Reason.LEASED_ELSEWHERE
    send(tablet)
    assert online(city, other, first) is Reason.ALREADY_ADMITTED
    assert online(city, other, second) is Reason.LEASED_ELSEWHERE


def test_a_right_on_its_way_to_a_tablet_is_used_by_the_server(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    with db.transaction() as session:
        leases.lend(session, tablet.device_id, [issued.pass_id for issued in one.passes[:2]], now=NOW)
    sign(one)
    assert online(city, tablet, one.passes[0].digits) is Reason.ADMITTED
    take_up(tablet)
    assert tablet.scan(one.passes[0].digits, NOW).reason is Reason.ALREADY_ADMITTED
    send(tablet)
    assert (counted(Admission), incidents()) == (1, [])


def test_a_restored_tablet_with_a_network_does_not_admit_again_who_it_let_in_without(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    old = tablet.copy_of_profile()
    lend(one, tablet, range(2))
    tablet.scan(one.passes[0].digits, NOW)
    tablet.profile = old
    tablet.boot(NOW + MINUTE)
    assert online(city, tablet, one.passes[0].digits, NOW + MINUTE) is Reason.NO_LEASE
    assert counted(Admission) == 0


def test_after_an_orderly_end_rights_return_and_otherwise_a_supervisor_decides(city: Settings) -> None:
    one = world(city)
    orderly, broken = booted(one), booted(one, 1)
    lend(one, orderly, range(2))
    lend(one, broken, range(2, 4))
    orderly.close(NOW)
    orderly.boot(NOW + MINUTE)
    broken.boot(NOW + MINUTE)
    send(orderly)
    send(broken)
    with db.transaction() as session:
        released = session.scalars(select(Lease).order_by(Lease.pass_id)).all()
    assert sorted((one.device_id == orderly.device_id, one.released_at is not None) for one in released) == [
        (False, False),
        (False, False),
        (True, True),
        (True, True),
    ]
    assert incidents() == [IncidentKind.RIGHTS_IN_DOUBT]


def test_a_list_for_an_earlier_boot_is_of_no_use(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(2))
    tablet.boot(NOW + MINUTE)
    assert not take_up(tablet, now=NOW + MINUTE)
    assert tablet.scan(one.passes[0].digits, NOW + MINUTE).reason is Reason.NO_LEASE


def test_who_left_may_come_back_where_the_meeting_lets_them(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(2))
    tablet.scan(one.passes[0].digits, NOW)
    tablet.leave(one.passes[0].digits, NOW + MINUTE)
    send(tablet)
    with db.transaction() as session:
        session.execute(update(Meeting).values(reentry=Reentry.FREE))
        left = session.scalars(select(Admission)).one().left_at
    assert left is not None
    tablet.profile.spent.clear()
    tablet.scan(one.passes[0].digits, NOW + 2 * MINUTE)
    (verdict,) = send(tablet).verdicts
    assert verdict.reason == Reason.READMITTED
    with db.transaction() as session:
        entry = session.scalars(select(Admission)).one()
    assert (entry.entries, entry.left_at) == (2, None)


def test_a_clock_that_is_put_back_is_an_incident(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    tablet.booted_at = NOW - timedelta(hours=1)
    tablet.scan(one.passes[0].digits, NOW)
    send(tablet)
    assert incidents() == [IncidentKind.CLOCK_JUMP]


def test_an_override_lets_in_and_is_an_incident(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    assert tablet.scan(one.passes[0].digits, NOW, override=True).outcome is Outcome.ADMIT
    send(tablet)
    assert (counted(Admission), incidents()) == (1, [IncidentKind.OVERRIDE])


def test_a_pass_let_in_without_a_right_is_an_incident_although_it_counts(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    tablet.scan(one.passes[0].digits, NOW, policy=Policy.LENIENT)
    send(tablet)
    assert (counted(Admission), incidents()) == (1, [IncidentKind.STALE_EPOCH])


def test_a_withdrawn_pass_that_was_let_in_offline_is_an_incident(city: Settings) -> None:
    one = world(city, Policy.LENIENT)
    tablet = booted(one)
    with db.transaction() as session:
        session.execute(update(Pass).values(state=PassState.WITHDRAWN))
    tablet.scan(one.passes[0].digits, NOW, policy=Policy.LENIENT)
    send(tablet)
    assert incidents() == [IncidentKind.ENTERED_ENDED]


def test_the_log_of_a_revoked_tablet_is_evidence_without_authority(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(2))
    tablet.scan(one.passes[0].digits, NOW)
    with db.transaction() as session:
        session.execute(update(Device).where(Device.id == tablet.device_id).values(revoked_at=NOW, token_sha256=None))
    receipt = send(tablet)
    assert receipt.void
    assert (counted(Admission), incidents()) == (0, [IncidentKind.REVOKED_DEVICE])
    assert counted(Scan) == 3


def test_the_guards_word_about_a_face_is_put_beside_its_scan(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    tablet.scan(one.passes[0].digits, NOW)
    scan_id = tablet.last_scan_id
    tablet.face(scan_id, Face.MISMATCH, NOW)
    send(tablet)
    with db.transaction() as session:
        assert session.get_one(Scan, scan_id).face == "mismatch"


def test_entries_of_another_tablet_or_another_key_are_refused(city: Settings) -> None:
    one = world(city)
    tablet, other = booted(one), booted(one, 1)
    tablet.scan(one.passes[0].digits, NOW)
    with pytest.raises(Invalid):
        send(other, tablet.batch())
    stranger = replace(tablet, key=SoftwareKey.generate(Curve.P256), profile=tablet.copy_of_profile())
    stranger.scan(one.passes[1].digits, NOW)
    with pytest.raises(Invalid):
        send(stranger)
    assert counted(Admission) == 0


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"events": []},
        {"events": ["x"]},
        {"events": [{}]},
        {"events": [{"event": "!", "signature": "", "salt": ""}]},
        {"events": [{"event": "", "signature": "", "salt": ""}]},
        {"events": [{}] * 501},
    ],
)
def test_a_batch_that_cannot_be_read_is_a_clear_refusal(body: object) -> None:
    with pytest.raises(Invalid):
        event_message.parse(body)


def test_a_changing_code_opens_in_its_moment_and_a_picture_of_it_never(city: Settings) -> None:
    one = gate_world.build(city, guests=2, gates=1, now=NOW, agency_code="H99.02", more=PassFlags.ROTATING)
    tablet, letter = booted(one), one.passes[0].digits
    token = digits.decode(letter)
    key = day_keys.key_of_pass(city, claims.decode(cose.parse(token).payload))
    shown = [rotating.show(token, key, NOW - MINUTE * away) for away in (24 * 60, 2, 0)]
    assert len(set(day_keys.for_gates(city, now=NOW).values())) == 5
    assert [online(city, tablet, code) for code in (letter, *shown, shown[-1])] == [
        Reason.OLD_CODE,
        Reason.OLD_CODE,
        Reason.OLD_CODE,
        Reason.ADMITTED,
        Reason.ALREADY_ADMITTED,
    ]
    send(tablet)
    assert (counted(Admission), incidents()) == (1, [])


def test_a_code_that_is_not_what_was_signed_admits_nobody(city: Settings) -> None:
    one = world(city)
    tablet = booted(one)
    lend(one, tablet, range(2))
    tablet.scan(one.passes[0].digits, NOW)
    batch = tablet.batch()
    batch[-1]["digits"] = one.passes[1].digits
    send(tablet, batch)
    assert counted(Admission) == 0


def test_the_plan_leases_each_guest_to_the_tablet_at_their_gate(city: Settings) -> None:
    one = world(city)
    booted(one)
    booted(one, 1)
    with db.transaction() as session:
        assert leases.plan(session, now=NOW) == 6
        assert leases.plan(session, now=NOW) == 0
        held = {one.pass_id: one.device_id for one in session.scalars(select(Lease))}
        log = session.scalars(select(TabletLog)).first()
    assert log is not None
    assert all(held[issued.pass_id] == one.tablets[issued.gate].device_id for issued in one.passes)
    assert sign(one) == 2
    assert sign(one) == 0


def test_nothing_is_leased_to_a_tablet_whose_shift_has_ended(city: Settings) -> None:
    one = world(city)
    ended, working = booted(one, 0), booted(one, 1)
    ended.close(NOW)
    send(ended)
    mine = sum(1 for issued in one.passes if issued.gate == 1)
    with db.transaction() as session:
        assert leases.plan(session, now=NOW) == mine
        assert {lease.device_id for lease in session.scalars(select(Lease))} == {working.device_id}
