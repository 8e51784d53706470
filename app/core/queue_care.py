"""Jobs of a worker that died: found by its heartbeat and put back into the queue. Every job may be run twice."""

from __future__ import annotations

from typing import Final

from app.core.logs import log
from app.core.queue import jobs

# Seconds. A worker that says nothing for so long is dead; with three signs of life missing it is not merely busy.
HEARTBEAT: Final = 4.0
SILENCE: Final = 15.0


@jobs.periodic(cron="* * * * * */10")
@jobs.task(name="core.take_up_stalled", queueing_lock="core.take_up_stalled")
async def take_up_stalled(timestamp: int) -> None:
    """Queue the jobs again that were under way when their worker died."""
    del timestamp
    for job in await jobs.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE):
        log.warning("job_taken_up_again", job=job.id, task=job.task_name)
        await jobs.job_manager.retry_job(job)
