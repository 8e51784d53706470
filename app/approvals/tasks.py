"""Jobs of `worker`: ending acts whose time is over."""

from __future__ import annotations

from datetime import UTC, datetime

from app.approvals import service
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import jobs


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="approvals.expire", queueing_lock="approvals.expire")
def expire(timestamp: int) -> None:
    """Mark what nobody decided on in time."""
    del timestamp
    with transaction() as session:
        ended = service.expire(session, now=datetime.now(UTC))
    if ended:
        log.info("acts_expired", acts=ended)
