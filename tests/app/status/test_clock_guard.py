"""When a time may be said: jumps, drift, starts after a clock was set back, a database that is away or disagrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from app.certificates.models import Certificate, CertificateState
from app.core import db
from app.status.clock_guard import RESERVED, ClockGuard, Clocks, Objection

SECOND = timedelta(seconds=1)


class Machine:
    """The two clocks of a machine: they run together until one is moved."""

    def __init__(self) -> None:
        self.moved, self.waited = timedelta(0), 0.0
        self._begun = datetime.now(UTC)

    @property
    def clocks(self) -> Clocks:
        return Clocks(self.day, lambda: 1000.0 + self.waited)

    def day(self) -> datetime:
        return self._begun + timedelta(seconds=self.waited) + self.moved


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = create_engine(database, isolation_level="AUTOCOMMIT")
    yield made
    made.dispose()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def started(engine: Engine, city: Certificate) -> Callable[[Machine], ClockGuard]:
    """Return a function that starts a guard on a machine; the certificate of the city stands for the unit's."""

    def start(machine: Machine) -> ClockGuard:
        guard = ClockGuard(engine, lambda: city.id, machine.clocks)
        guard.look()
        return guard

    return start


def test_a_time_is_said_when_everything_agrees(started: Callable[[Machine], ClockGuard], machine: Machine) -> None:
    assert started(machine).time() == machine.day()


def test_nothing_is_said_before_the_first_look(engine: Engine, machine: Machine) -> None:
    assert ClockGuard(engine, lambda: None, machine.clocks).time() is Objection.NOT_STARTED


@pytest.mark.parametrize("moved", [timedelta(hours=-1), timedelta(hours=1), -1.1 * SECOND, 1.1 * SECOND])
def test_a_jump_is_seen_at_once_and_forgiven_when_it_is_undone(
    started: Callable[[Machine], ClockGuard], machine: Machine, moved: timedelta
) -> None:
    guard = started(machine)
    machine.moved = moved
    assert guard.time() is Objection.JUMPED
    assert guard.look() is Objection.JUMPED
    machine.moved = timedelta(0)
    assert guard.look() is None
    assert isinstance(guard.time(), datetime)


def test_a_drift_is_seen_when_it_is_more_than_a_second(
    started: Callable[[Machine], ClockGuard], machine: Machine
) -> None:
    guard = started(machine)
    machine.moved = 0.9 * SECOND
    assert isinstance(guard.time(), datetime)
    # A hundred parts in a million add up to this in three hours.
    machine.moved = 1.01 * SECOND
    assert guard.time() is Objection.JUMPED


@pytest.mark.parametrize("moved", [-2 * SECOND, 2 * SECOND, timedelta(hours=1)])
def test_a_clock_that_is_wrong_from_the_start_disagrees_with_the_databases(
    started: Callable[[Machine], ClockGuard], machine: Machine, moved: timedelta
) -> None:
    machine.moved = moved
    assert started(machine).time() is Objection.DATABASE_DISAGREES


def test_after_a_start_nothing_is_said_until_the_mark_of_the_last_one_is_past(
    started: Callable[[Machine], ClockGuard], engine: Engine, city: Certificate, machine: Machine
) -> None:
    started(machine)
    again = ClockGuard(engine, lambda: city.id, machine.clocks)
    assert again.look() is Objection.BEHIND_MARK
    machine.waited, machine.moved = 0.9, 0.09 * SECOND
    assert again.look() is Objection.BEHIND_MARK
    with engine.connect() as connection:
        connection.execute(text("UPDATE timestamp_clock SET newest = :at"), {"at": machine.day() + SECOND})
    # What another process reserves meanwhile does not hold this one up for ever: it waits for the mark it found.
    assert again.look() is Objection.BEHIND_MARK


def test_a_mark_that_is_past_lets_a_new_process_begin(
    started: Callable[[Machine], ClockGuard], engine: Engine, machine: Machine
) -> None:
    started(machine)
    with engine.connect() as connection:
        connection.execute(text("UPDATE timestamp_clock SET newest = :at"), {"at": machine.day() - SECOND})
    assert isinstance(started(machine).time(), datetime)


def test_a_start_with_a_clock_an_hour_back_says_nothing_even_if_the_databases_is_back_too(
    started: Callable[[Machine], ClockGuard], engine: Engine, machine: Machine
) -> None:
    with engine.connect() as connection:
        connection.execute(
            text("INSERT INTO timestamp_clock (id, newest) VALUES (1, :at)"), {"at": machine.day() + timedelta(hours=1)}
        )
    assert started(machine).time() is Objection.BEHIND_MARK


def test_what_is_reserved_may_be_said_and_no_more(
    started: Callable[[Machine], ClockGuard], machine: Machine, engine: Engine
) -> None:
    guard = started(machine)
    with engine.connect() as connection:
        mark = connection.execute(text("SELECT newest FROM timestamp_clock")).scalar_one()
    assert mark == machine.day() + RESERVED
    machine.waited = RESERVED.total_seconds()
    assert guard.time() == mark
    machine.waited += 0.01
    assert guard.time() is Objection.DATABASE_AWAY


def test_a_clock_that_stands_still_runs_out_too(started: Callable[[Machine], ClockGuard], machine: Machine) -> None:
    guard = started(machine)
    machine.waited, machine.moved = 3.5, -0.9 * SECOND
    assert guard.time() is Objection.DATABASE_AWAY


def test_without_the_database_nothing_more_is_reserved_and_it_recovers_by_itself(
    city: Certificate, machine: Machine, database_url: str
) -> None:
    # A way to the database that is closed and opened again.
    way = {"url": database_url}
    engine = create_engine(
        database_url, isolation_level="AUTOCOMMIT", creator=lambda: _connect(way["url"]), pool_size=1, max_overflow=0
    )
    guard = ClockGuard(engine, lambda: city.id, machine.clocks)
    assert guard.look() is None
    way["url"] = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    engine.dispose()
    assert guard.look() is None
    machine.waited = 3.5
    assert guard.time() is Objection.DATABASE_AWAY
    way["url"] = database_url
    machine.waited = 0.2
    assert guard.look() is None
    assert isinstance(guard.time(), datetime)
    engine.dispose()


def _connect(url: str) -> object:

    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"))


def test_a_unit_that_is_revoked_says_nothing(
    started: Callable[[Machine], ClockGuard], machine: Machine, city: Certificate, change: Callable[..., None]
) -> None:
    guard = started(machine)
    change(city, state=CertificateState.REVOKED)
    assert guard.look() is Objection.CERTIFICATE
    assert guard.time() is Objection.CERTIFICATE


def test_two_processes_never_use_one_serial_number(started: Callable[[Machine], ClockGuard], machine: Machine) -> None:
    first, second = started(machine), started(machine)
    numbers = [guard.new_serial() for _ in range(1000) for guard in (first, second)]
    assert len(set(numbers)) == 2000
    assert {number >> 40 for number in numbers} == {numbers[0] >> 40, numbers[1] >> 40}


def test_a_token_writes_nothing(started: Callable[[Machine], ClockGuard], machine: Machine) -> None:
    guard = started(machine)
    with db.transaction() as session:
        before = session.execute(text("SELECT xmin::text FROM timestamp_clock")).scalar_one()
    for _ in range(10):
        guard.time(), guard.new_serial()
    with db.transaction() as session:
        assert session.execute(text("SELECT xmin::text FROM timestamp_clock")).scalar_one() == before
