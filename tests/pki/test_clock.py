"""Time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pki.clock import FixedClock, SystemClock
from tests.factories.pki import NOW


def test_a_fixed_clock_moves_only_when_it_is_moved():
    clock = FixedClock(NOW)
    assert clock.now() == clock.now() == NOW
    clock.advance(timedelta(seconds=-1))
    assert clock.now() == NOW - timedelta(seconds=1)


def test_the_clock_of_the_machine_is_in_utc():
    before = datetime.now(UTC)
    assert before <= SystemClock().now() <= datetime.now(UTC)
    assert SystemClock().now().tzinfo is UTC
