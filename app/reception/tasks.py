"""What the desk does at night: write out who was never written out, end entries of the watch list, forget visitors."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core.db import transaction
from app.core.queue import jobs
from app.gate.roster_building import register_flags
from app.reception import presence, retention, watch

register_flags(watch.flags)


@jobs.periodic(cron="20 * * * *")
@jobs.task(name="reception.tidy", queueing_lock="reception.tidy", lock="reception.tidy")
def tidy(timestamp: int) -> None:
    """Every hour; only what is of an earlier day, or whose time is over, is touched."""
    del timestamp
    now = datetime.now(UTC)
    with transaction() as session:
        presence.close_out(session, now=now)
        watch.expire(session, now=now)
        retention.forget(session, now=now)
