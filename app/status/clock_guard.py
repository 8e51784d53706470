"""The guard of the timestamp service's clock: whether a time may be said now, and serial numbers never used before.

Four things must agree (EN 319 421, 7.10): the machine's clock with the time that has passed since the start, within a
second, so that a jump is seen; the machine's clock with the database's; the time with a mark kept in the database,
reserved ahead, so that no start after a clock was set back says a time again; and the unit's certificate is good.

A mark reserved three seconds ahead must be renewed to say more: when the database is away for longer, no time is said.
That is stricter than the minute that a lost source is allowed, so there is no rule for it here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from threading import Event, Lock, Thread
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.certificates.models import CertificateState
from app.core.logs import log

TOLERANCE: Final = timedelta(seconds=1)
RESERVED: Final = timedelta(seconds=3)
BEAT: Final = 0.5
# Each start takes a block of this many serial numbers by its first octets, and leaves what it does not use.
_BLOCK_BITS: Final = 40

_READ: Final = text("SELECT newest FROM timestamp_clock WHERE id = 1")
_BLOCK: Final = text("SELECT nextval('timestamp_serial')")
_LOOK: Final = text(
    "SELECT clock_timestamp() AS now, (SELECT state FROM certificate WHERE id = CAST(:unit AS uuid)) AS state"
)
_RESERVE: Final = text(
    "INSERT INTO timestamp_clock AS kept (id, newest) VALUES (1, :until)"
    " ON CONFLICT (id) DO UPDATE SET newest = greatest(kept.newest, excluded.newest)"
)


class Objection(StrEnum):
    """Why no time is said; for the log and the check of health."""

    NOT_STARTED = "not_started"
    JUMPED = "jumped"
    BEHIND_MARK = "behind_mark"
    DATABASE_DISAGREES = "database_disagrees"
    DATABASE_AWAY = "database_away"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class Clocks:
    """The two clocks of the machine: of the day, and of what has passed since some moment, in seconds.

    The second is CLOCK_BOOTTIME, which also counts while a virtual machine sleeps.
    """

    day: Callable[[], datetime] = lambda: datetime.now(UTC)
    passed: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)


MACHINE: Final = Clocks()


@dataclass(frozen=True)
class _Verdict:
    """What the last look decided: until when a time may be said, in the clock of the day and in what has passed."""

    objection: Objection | None
    until: datetime
    passed_until: float


class ClockGuard:
    """Decides for one process; `start` gives it a thread that looks twice a second."""

    def __init__(self, engine: Engine, unit: Callable[[], UUID | None], clocks: Clocks | None = None) -> None:
        """`unit` names the certificate of the timestamp unit; None while there is none."""
        self._engine, self._unit, self._clocks = engine, unit, clocks or MACHINE
        self._offset: timedelta | None = None
        self._mark: datetime | None = None
        self._block = 0
        self._counter = count(1)
        self._verdict = _Verdict(Objection.NOT_STARTED, datetime.min.replace(tzinfo=UTC), 0.0)
        self._lock, self._stopping = Lock(), Event()
        self._thread: Thread | None = None

    def time(self) -> datetime | Objection:
        """Return the time that a token may say now, or why none may."""
        verdict = self._verdict
        if verdict.objection is not None:
            return verdict.objection
        day, passed = self._clocks.day(), self._clocks.passed()
        if self._has_jumped(day, passed):
            return Objection.JUMPED
        # What has passed counts too: a clock that stands still would never reach the mark.
        late = day > verdict.until or passed > verdict.passed_until
        return Objection.DATABASE_AWAY if late else day

    def new_serial(self) -> int:
        """Return a serial number that no token has, of this process or another (RFC 3161, 2.4.2)."""
        return self._block << _BLOCK_BITS | next(self._counter)

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="clock-guard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> Objection | None:
        """Look at every clock once, reserve the next seconds if they agree, and return the objection if not."""
        with self._lock:
            before = self._verdict.objection
            try:
                with self._engine.connect() as connection:
                    objection = self._judge(connection)
            except SQLAlchemyError:
                objection = Objection.DATABASE_AWAY
            if objection is Objection.DATABASE_AWAY and before is None:
                # What is reserved may still be said.
                return None
            if objection is not None:
                self._verdict = _Verdict(objection, self._verdict.until, self._verdict.passed_until)
            if objection is not before:
                log.warning("timestamp_clock", objection=objection or "none", before=before or "none")
            return objection

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(BEAT)

    def _judge(self, connection: Connection) -> Objection | None:
        """Return what is wrong. Nothing: the next seconds are reserved and may be said."""
        # 1. The machine's own two clocks.
        day, passed = self._clocks.day(), self._clocks.passed()
        if self._offset is None:
            self._begin(connection, day, passed)
        if self._has_jumped(day, passed):
            return Objection.JUMPED
        # 2. The database's clock, read between two looks at ours, and the certificate.
        found = connection.execute(_LOOK, {"unit": self._unit()}).one()
        took = timedelta(seconds=self._clocks.passed() - passed)
        if not day - TOLERANCE <= found.now <= day + took + TOLERANCE:
            return Objection.DATABASE_DISAGREES
        if found.state != CertificateState.ISSUED:
            return Objection.CERTIFICATE
        # 3. Past every time that any process may have said before this one began.
        if self._mark is not None and day <= self._mark:
            return Objection.BEHIND_MARK
        connection.execute(_RESERVE, {"until": day + RESERVED})
        self._verdict = _Verdict(None, day + RESERVED, passed + RESERVED.total_seconds())
        return None

    def _begin(self, connection: Connection, day: datetime, passed: float) -> None:
        self._mark = connection.execute(_READ).scalar_one_or_none()
        self._block = int(connection.execute(_BLOCK).scalar_one())
        self._offset = day - timedelta(seconds=passed) - datetime.fromtimestamp(0, UTC)

    def _has_jumped(self, day: datetime, passed: float) -> bool:
        if self._offset is None:
            return True
        moved = day - timedelta(seconds=passed) - datetime.fromtimestamp(0, UTC) - self._offset
        return abs(moved) > TOLERANCE
