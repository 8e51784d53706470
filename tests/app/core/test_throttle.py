"""Rate limits count across processes and refill evenly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.core.throttle import may_pass

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def take(session: Session, bucket: str, now: datetime) -> bool:
    return may_pass(session, bucket, limit=5, per=MINUTE, now=now)


def test_the_sixth_try_in_a_minute_is_refused_when_the_limit_is_five(session: Session) -> None:
    assert [take(session, "a", NOON) for _ in range(6)] == [True] * 5 + [False]


def test_one_more_passes_after_a_fifth_of_the_minute(session: Session) -> None:
    for _ in range(5):
        take(session, "a", NOON)
    assert not take(session, "a", NOON + timedelta(seconds=11))
    assert take(session, "a", NOON + timedelta(seconds=12))
    assert not take(session, "a", NOON + timedelta(seconds=12))


def test_a_full_bucket_does_not_touch_another(session: Session) -> None:
    for _ in range(6):
        take(session, "a", NOON)
    assert take(session, "b", NOON)
