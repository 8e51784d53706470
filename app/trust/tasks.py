"""The job of `worker` that forgets what outside authorities answered long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from app.core.db import transaction
from app.core.logs import log
from app.core.queue import jobs
from app.trust import evidence

_KEPT: Final = timedelta(days=7)


@jobs.periodic(cron="41 2 * * *")
@jobs.task(name="trust.forget_old", queueing_lock="trust.forget_old")
def forget_old(timestamp: int) -> None:
    """Every night, delete the answers and failures that no check has asked for again within a week."""
    del timestamp
    with transaction() as session:
        count = evidence.forget_old(session, before=datetime.now(UTC) - _KEPT)
    log.info("outside_answers_forgotten", count=count)
