"""Rate limits by GCRA, one row a bucket in PostgreSQL, so that every process sees the same count."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base


class RateLimit(Base):
    __tablename__ = "rate_limit"

    # A hash, so that no address or login stands here.
    bucket: Mapped[str] = mapped_column(primary_key=True)
    # Theoretical arrival time: when the bucket is empty again.
    arrival: Mapped[datetime]


_TAKE = text(
    """
    INSERT INTO rate_limit AS r (bucket, arrival) VALUES (:bucket, CAST(:now AS timestamptz) + :interval)
    ON CONFLICT (bucket) DO UPDATE SET arrival = greatest(r.arrival, CAST(:now AS timestamptz)) + :interval
    WHERE greatest(r.arrival, CAST(:now AS timestamptz)) + :interval <= CAST(:now AS timestamptz) + :burst
    RETURNING r.arrival
    """
)


def may_pass(session: Session, bucket: str, *, limit: int, per: timedelta, now: datetime, count: int = 1) -> bool:
    """Take `count` from `bucket`, which holds `limit` and refills evenly over `per`; False, and nothing taken, when it
    holds less.
    """
    if count > limit:
        return False
    row = {
        "bucket": hashlib.sha256(bucket.encode()).hexdigest(),
        "now": now,
        "interval": per / limit * count,
        "burst": per,
    }
    return session.execute(_TAKE, row).first() is not None
