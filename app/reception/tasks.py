"""What the desk does at night: write out who was never written out, forget numbers, end entries of the watch list."""

from __future__ import annotations

from datetime import UTC, datetime

from app.audit import service as audit
from app.core.db import transaction
from app.core.permissions import house
from app.core.queue import jobs
from app.gate.roster_building import register_flags
from app.reception import presence, visits, watch

register_flags(watch.flags)


@jobs.periodic(cron="20 * * * *")
@jobs.task(name="reception.tidy", queueing_lock="reception.tidy", lock="reception.tidy")
def tidy(timestamp: int) -> None:
    """Every hour; only what is of an earlier day, or a week old, is touched."""
    del timestamp
    now = datetime.now(UTC)
    with transaction() as session:
        presence.close_out(session, now=now)
        watch.expire(session, now=now)
        forgotten = visits.forget_numbers(session, now=now)
        if forgotten:
            audit.record(
                session,
                house("retention"),
                "visitor_numbers_forgotten",
                object_kind="house",
                object_id="visitors",
                numbers=forgotten,
            )
