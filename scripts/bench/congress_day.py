"""The morning of the congress: gates as threads, each with its tablet, its queue and what happens to it."""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import Final
from uuid import UUID

from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.gate import devices, leases
from pki.passes.decision import Outcome, Reason, Verdict
from scripts.bench.city import say
from scripts.bench.gate_load import Client, scan_body
from scripts.bench.serving import child, free_port, listening
from tests.factories.gate_world import Issued, World
from tests.factories.tablets import Tablet

# Gates without network from the first guest to the last; then the one whose tablet is stolen, and the restored one.
OFFLINE: Final = range(30, 38)
STOLEN: Final = 38
RESTORED: Final = 39
_PATIENCE: Final = 120.0
_BROKEN: Final = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Entered:
    """Somebody who really went in."""

    issued: Issued
    scan_id: UUID
    gate: int
    # Whether the log that tells of it can reach the server: not of a stolen or emptied tablet.
    heard: bool


@dataclass(frozen=True)
class _Visit:
    """Somebody in a queue: the guest, or one with a copy of the pass."""

    issued: Issued
    is_copy: bool


class Day:
    """One run; `run` returns who went in."""

    def __init__(self, settings: Settings, world: World, chance: random.Random) -> None:
        self._settings, self._world, self._chance = settings, world, chance
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._entered: list[Entered] = []
        self._inside: set[UUID] = set()
        self._sent_away: list[tuple[int, _Visit]] = []
        self._lock = Lock()
        self._done = 0
        self.kills, self.overrides, self.seconds = 0, 0, 0.0

    def run(self) -> list[Entered]:
        with self._serving():
            self._open()
            begun = time.perf_counter()
            queues = self._queues()
            stop = Event()
            killer = Thread(target=self._kill_twice, args=(sum(map(len, queues)), stop))
            leaser = Thread(target=self._lease_again, args=(stop,))
            killer.start()
            leaser.start()
            try:
                with ThreadPoolExecutor(len(queues)) as pool:
                    list(pool.map(self._gate, range(len(queues)), queues))
                self._second_try()
            finally:
                stop.set()
                killer.join()
                leaser.join()
            self._all_send()
            self.seconds = time.perf_counter() - begun
        return self._entered

    def _open(self) -> None:
        """Every tablet boots in the morning, is heard of, and takes up its leases."""
        for tablet in self._world.tablets:
            tablet.lists_until = datetime.now(UTC) + timedelta(minutes=15)
            tablet.boot(datetime.now(UTC))
            self._send(tablet, Client(self._port))
        self._old = self._world.tablets[RESTORED].copy_of_profile()
        # As `worker` does: round after round, until every right is leased.
        rounds: list[int] = []
        while not rounds or rounds[-1]:
            with db.transaction() as session:
                rounds.append(leases.plan(session, now=datetime.now(UTC)))
        with db.transaction() as session:
            leases.sign_lists(session, self._world.lists_key, now=datetime.now(UTC))
        for tablet in self._world.tablets:
            self._take_leases(tablet)
            self._send(tablet, Client(self._port))
        say(f"{sum(rounds)} rights leased to {len(self._world.tablets)} tablets")

    def _queues(self) -> list[list[_Visit]]:
        gates = len(self._world.tablets)
        queues: list[list[_Visit]] = [[] for _ in range(gates)]
        for issued in self._world.passes:
            wrong = self._chance.random() < 0.05
            queues[self._chance.randrange(gates) if wrong else issued.gate].append(_Visit(issued, is_copy=False))
            if self._chance.random() < 0.1:
                queues[self._chance.randrange(gates)].append(_Visit(issued, is_copy=True))
        for queue in queues:
            self._chance.shuffle(queue)
        return queues

    def _gate(self, number: int, queue: Sequence[_Visit]) -> None:
        tablet, client = self._world.tablets[number], Client(self._port)
        for at, visit in enumerate(queue):
            if number == STOLEN and at == len(queue) // 2:
                self._steal(tablet)
            if number == STOLEN and at >= len(queue) // 2:
                with self._lock:
                    self._sent_away.append((number, visit))
                    self._done += 1
                continue
            if number == RESTORED and at == len(queue) // 2:
                tablet.profile = self._old
                tablet.boot(datetime.now(UTC))
            offline = number in OFFLINE or number == STOLEN or (number == RESTORED and at < len(queue) // 2)
            self._serve(number, visit, None if offline else client)
            if not offline and at % 10 == 9:
                self._refresh(tablet, client)

    def _serve(self, number: int, visit: _Visit, client: Client | None) -> None:
        tablet, code = self._world.tablets[number], visit.issued.digits
        verdict = None if client is None else self._ask(tablet, client, code)
        now = datetime.now(UTC)
        if verdict is None:
            verdict = tablet.scan(code, now)
        else:
            tablet.online(code, now, verdict)
        self._settle(number, visit, verdict, tablet.last_scan_id)

    def _settle(self, number: int, visit: _Visit, verdict: Verdict, scan_id: UUID) -> None:
        with self._lock:
            self._done += 1
            if verdict.outcome is Outcome.ADMIT:
                void = number in (STOLEN, RESTORED)
                self._entered.append(Entered(visit.issued, scan_id, number, heard=not void))
                if not visit.is_copy:
                    self._inside.add(visit.issued.pass_id)
            elif verdict.outcome is Outcome.LOOK_AGAIN:
                self._sent_away.append((number, visit))

    def _ask(self, tablet: Tablet, client: Client, code: str) -> Verdict | None:
        """Ask the server; None when nobody answers and the tablet may decide by itself."""
        body = scan_body(code, tablet.judge(code, datetime.now(UTC))) | {"scan_id": str(tablet.next_scan_id)}
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                status, said = client.post("/gate/scans", tablet.token, body)
            except _BROKEN:
                status, said = 503, {}
            if status == 200:
                return Verdict(Outcome(said["outcome"]), Reason(said["reason"]))
            if status == 401:
                return Verdict(Outcome.LOOK_AGAIN, Reason.NO_NETWORK)
            # A right of its own needs no answer: the scan keeps its name, whether the server had heard it or not.
            if self._holds(tablet, code):
                return None
            time.sleep(0.1)
        raise SystemExit("the server did not come back")

    def _holds(self, tablet: Tablet, code: str) -> bool:
        probe = next(one for one in self._world.passes if one.digits == code)
        return tablet.leases is not None and tablet.leases.holds(probe.status_index, 0, datetime.now(UTC))

    def _second_try(self) -> None:
        """Who was sent away goes to their own gate; where that is gone, a supervisor looks and lets the guest in."""
        say(f"{len(self._sent_away)} were sent away")
        with db.transaction() as session:
            leases.sign_lists(session, self._world.lists_key, now=datetime.now(UTC))
        for tablet in self._world.tablets[: OFFLINE.start]:
            self._refresh(tablet, Client(self._port))
        gone = (STOLEN, RESTORED)
        for _, visit in list(self._sent_away):
            client, home = Client(self._port), visit.issued.gate
            if home not in gone:
                self._serve(home, visit, None if home in OFFLINE else client)
            elif not visit.is_copy and visit.issued.pass_id not in self._inside:
                self._override(visit)

    def _override(self, visit: _Visit) -> None:
        """The guest stands there with the portrait's face and has not come in: a copy would be sent away."""
        if any(one.issued.pass_id == visit.issued.pass_id for one in self._entered):
            return
        tablet = self._world.tablets[0]
        verdict = tablet.scan(visit.issued.digits, datetime.now(UTC), override=True)
        self.overrides += 1
        self._settle(0, visit, verdict, tablet.last_scan_id)

    def _steal(self, tablet: Tablet) -> None:
        with db.transaction() as session:
            devices.revoke(session, tablet.device_id, actor=house("benchmark"), now=datetime.now(UTC))

    def _refresh(self, tablet: Tablet, client: Client) -> None:
        self._take_leases(tablet)
        self._send(tablet, client)

    def _take_leases(self, tablet: Tablet) -> None:
        with db.transaction() as session:
            tablet.take_leases(leases.newest_list(session, tablet.device_id), datetime.now(UTC))

    def _send(self, tablet: Tablet, client: Client) -> bool:
        while batch := tablet.batch():
            try:
                status, said = client.post("/gate/v1/events", tablet.token, {"events": batch})
            except _BROKEN:
                return False
            if status != 200 or said["void"]:
                return status in (200, 401)
            tablet.confirm(said["contiguous"])
        return True

    def _all_send(self) -> None:
        until = time.monotonic() + _PATIENCE
        for number, tablet in enumerate(self._world.tablets):
            while number != STOLEN and not self._send(tablet, Client(self._port)):
                if time.monotonic() > until:
                    raise SystemExit("a log was not taken")
                time.sleep(0.1)

    def _lease_again(self, stop: Event) -> None:
        """What `worker` does every five seconds: lists without what was recalled."""
        while not stop.wait(1.0):
            with db.transaction() as session:
                leases.sign_lists(session, self._world.lists_key, now=datetime.now(UTC))

    def _kill_twice(self, visits: int, stop: Event) -> None:
        for share in (0.3, 0.6):
            while self._done < visits * share:
                if stop.wait(0.01):
                    return
            server = self._server
            if server is not None:
                os.killpg(server.pid, signal.SIGKILL)
                self.kills += 1
                say(f"killed after {self._done} scans")

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """Keep a `web` running: one that was killed is started again."""
        stop = Event()

        def keep() -> None:
            while not stop.is_set():
                with child(self._settings, "web", port=self._port) as self._server:
                    while not stop.is_set() and self._server.poll() is None:
                        stop.wait(0.05)

        keeper = Thread(target=keep)
        keeper.start()
        try:
            listening(self._port)
            time.sleep(2)
            yield
        finally:
            stop.set()
            keeper.join()
