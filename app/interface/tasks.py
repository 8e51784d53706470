"""The job that forgets what the API answered more than a day ago."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core.db import transaction
from app.core.queue import jobs
from app.interface import repeats


@jobs.periodic(cron="23 * * * *")
@jobs.task(name="interface.forget", queueing_lock="interface.forget", lock="interface.forget")
def forget(timestamp: int) -> None:
    """Each hour: a request that is sent again after a day acts again, as the description says."""
    del timestamp
    with transaction() as session:
        repeats.forget(session, now=datetime.now(UTC))
