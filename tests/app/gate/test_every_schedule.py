"""Whatever networks, clocks and tablets do: in STRICT nobody enters twice, in LENIENT every second entry is reported.

The tablets run the rule of pki.passes.admission, the server is the real service on PostgreSQL. Who was let in is
counted at the gates. `KYVAO_TEST_SCHEDULES` asks for more schedules than the 25 of an ordinary run.
"""

from __future__ import annotations

import copy
import os
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import db
from app.core.settings import Settings
from app.gate import admissions, event_message, events, leases
from app.gate.admissions_sql import driver
from app.gate.events import Receipt
from app.gate.models import Admission, Device
from app.gate.models_leases import Incident, IncidentKind
from app.gate.scan_message import ScanMessage
from pki.passes.decision import Outcome
from pki.passes.lease import Policy
from tests.factories import gate_world
from tests.factories.gate_world import World
from tests.factories.tablets import Profile

SCHEDULES = int(os.environ.get("KYVAO_TEST_SCHEDULES", "25"))
# The city is set up when the first test asks for it, which may be long after this file was read.
NOW = datetime.now(UTC) + timedelta(hours=2)
TABLETS = st.integers(0, 2)
PASSES = st.integers(0, 3)
REPORTED = {IncidentKind.DOUBLE_ENTRY, IncidentKind.CHAIN_FORK, IncidentKind.REVOKED_DEVICE}


class Gates(RuleBasedStateMachine):
    world: ClassVar[World]
    city: ClassVar[Settings]
    # Over all schedules: a run in which nobody enters, or nobody twice, proves nothing.
    let_in: ClassVar[int] = 0
    doubles: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.session: Session = self.stack.enter_context(db.transaction())
        self.tablets = copy.deepcopy(list(self.world.tablets))
        self.skew = [timedelta(0)] * len(self.tablets)
        self.copies: dict[int, Profile] = {}
        self.revoked: set[int] = set()
        self.now = NOW
        # Entries of logs that reached the server, as they were written.
        self.heard: set[str] = set()
        # By number of the pass: who was let in, as the gate's log says. A restored log gives two entries one name.
        self.written: dict[int, list[tuple[UUID, str]]] = defaultdict(list)
        for number, tablet in enumerate(self.tablets):
            tablet.lists_until = NOW + timedelta(minutes=15)
            tablet.boot(NOW)
            self.deliver(number, tablet.batch())

    def teardown(self) -> None:
        try:
            self.everybody_is_told()
        finally:
            self.session.rollback()
            self.stack.close()

    def clock(self, number: int) -> datetime:
        return self.now + self.skew[number]

    def deliver(self, number: int, batch: list[dict[str, Any]]) -> Receipt | None:
        if not batch:
            return None
        connection, entries = driver(self.session), event_message.parse({"events": batch})
        who = events.sender(connection, self.tablets[number].device_id)
        assert who is not None
        self.heard |= {one["event"] for one in batch}
        return events.take(connection, who, entries, now=self.now)

    def note(self, number: int, which: int) -> None:
        tablet = self.tablets[number]
        self.written[which].append((tablet.last_scan_id, tablet.profile.outbox[tablet.profile.seq]["event"]))
        type(self).let_in += 1

    @initialize(is_leased=st.booleans())
    def the_day_begins(self, is_leased: bool) -> None:
        if is_leased:
            leases.plan(self.session, now=self.now)
            for number in range(len(self.tablets)):
                self.a_list_is_taken_up(number, signed=True)

    @rule()
    def rights_are_leased(self) -> None:
        leases.plan(self.session, now=self.now)

    @rule(number=TABLETS, which=PASSES)
    def a_right_is_leased(self, number: int, which: int) -> None:
        leases.lend(self.session, self.tablets[number].device_id, [self.world.passes[which].pass_id], now=self.now)

    @rule(number=TABLETS)
    def rights_are_recalled(self, number: int) -> None:
        leases.recall(self.session, self.tablets[number].device_id, now=self.now)

    @rule(number=TABLETS, signed=st.booleans())
    def a_list_is_taken_up(self, number: int, signed: bool) -> None:
        if signed:
            leases.sign_lists(self.session, self.world.lists_key, now=self.now)
        tablet = self.tablets[number]
        tablet.take_leases(leases.newest_list(self.session, tablet.device_id), self.clock(number))

    @rule(number=TABLETS, which=PASSES)
    def a_pass_is_scanned_without_network(self, number: int, which: int) -> None:
        verdict = self.tablets[number].scan(self.world.passes[which].digits, self.clock(number))
        if verdict.outcome is Outcome.ADMIT:
            self.note(number, which)

    @rule(number=TABLETS, which=PASSES, is_lost=st.booleans())
    def a_pass_is_scanned_with_network(self, number: int, which: int, is_lost: bool) -> None:
        """A lost answer: the server has decided, and the tablet decides by itself under the same name."""
        tablet, code, at = self.tablets[number], self.world.passes[which].digits, self.clock(number)
        own = tablet.judge(code, at)
        if number in self.revoked:
            return
        message = ScanMessage(tablet.next_scan_id, code, at, own.outcome, own.reason, boot_id=tablet.boot_id)
        device = self.session.get_one(Device, tablet.device_id)
        said = admissions.admit(
            self.session, device, message, settings=self.city, operator_account_id=None, now=self.now
        ).verdict
        if is_lost:
            said = tablet.scan(code, at)
        else:
            tablet.online(code, at, said)
        if said.outcome is Outcome.ADMIT:
            self.note(number, which)

    @rule(
        number=TABLETS, start=st.integers(0, 3), count=st.integers(1, 9), times=st.integers(1, 2), hears=st.booleans()
    )
    def entries_are_sent(self, number: int, start: int, count: int, times: int, hears: bool) -> None:
        """Some of them, some twice, and the answer may get lost."""
        batch = self.tablets[number].batch()[start : start + count]
        for _ in range(times):
            receipt = self.deliver(number, batch)
        if batch and hears and receipt is not None and not receipt.void:
            self.tablets[number].confirm(receipt.contiguous)

    @rule(number=TABLETS, in_order=st.booleans())
    def a_tablet_starts_anew(self, number: int, in_order: bool) -> None:
        if in_order:
            self.tablets[number].close(self.clock(number))
        self.tablets[number].boot(self.clock(number))

    @rule(number=TABLETS)
    def a_profile_is_copied(self, number: int) -> None:
        self.copies[number] = self.tablets[number].copy_of_profile()

    @rule(number=TABLETS)
    def a_profile_is_restored(self, number: int) -> None:
        if number in self.copies:
            self.tablets[number].profile = copy.deepcopy(self.copies[number])
            self.tablets[number].boot(self.clock(number))

    @rule(number=TABLETS, minutes=st.sampled_from([-600, -60, 0, 3, 60]))
    def a_clock_jumps(self, number: int, minutes: int) -> None:
        self.skew[number] = timedelta(minutes=minutes)

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(number=TABLETS, is_meant=st.integers(0, 5))
    def a_tablet_is_stolen(self, number: int, is_meant: int) -> None:
        if is_meant == 0:
            device = self.session.get_one(Device, self.tablets[number].device_id)
            device.revoked_at, device.token_sha256 = self.now, None
            self.session.flush()
            self.revoked.add(number)

    @invariant()
    def nobody_enters_twice_in_strict(self) -> None:
        for which, entries in self.written.items():
            if self.world.passes[which].policy is Policy.STRICT:
                assert len(entries) <= 1, f"pass {which} was let in {len(entries)} times"

    def everybody_is_told(self) -> None:
        """When every log has come in, each further entry that the server heard of is reported."""
        for number, tablet in enumerate(self.tablets):
            self.deliver(number, tablet.batch())
        reported = set(self.session.scalars(select(Incident.scan_id).where(Incident.kind.in_(REPORTED))))
        rows = self.session.execute(select(Admission.pass_id, Admission.scan_id))
        booked = {row.pass_id: row.scan_id for row in rows}
        for which, entries in self.written.items():
            heard = [scan_id for scan_id, event in entries if event in self.heard]
            first = booked.get(self.world.passes[which].pass_id)
            if first in heard:
                heard.remove(first)
            untold = [scan_id for scan_id in heard if scan_id not in reported]
            assert not untold, f"pass {which}: nobody is told of {len(untold)} entries"
            type(self).doubles += max(0, len(entries) - 1)


def test_no_schedule_lets_a_strict_pass_in_twice_or_hides_a_second_entry(city: Settings) -> None:
    Gates.city = city
    Gates.world = gate_world.build(city, guests=4, gates=3, policy=None, now=NOW, agency_code="H99.02")
    Gates.let_in = Gates.doubles = 0
    chosen = settings(
        max_examples=SCHEDULES,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Gates, settings=chosen)
    assert Gates.let_in > SCHEDULES // 5
    # Few schedules need not come upon one.
    assert Gates.doubles > 0 or SCHEDULES < 200
