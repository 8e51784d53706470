"""Jobs of `worker`: working off running campaigns, and taking up those whose processes died."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.campaigns import batches, check_job, invitations, retention, runner
from app.campaigns.models import Batch, BatchState, Campaign, CampaignState, Mode
from app.campaigns.service import CHECK_TASK, RUN_TASK
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import RETRY, enqueue, jobs
from app.core.settings import load


@jobs.task(name=CHECK_TASK, retry=RETRY)
def check(campaign_id: str) -> None:
    """Check the file of a campaign; killed and run again, it goes on where it was."""
    check_job.run(load(os.environ), UUID(campaign_id), _now)


@jobs.task(name=RUN_TASK, retry=RETRY)
def run(campaign_id: str) -> None:
    """Work off a campaign until nothing is left or it is paused: with all cores, or by writing invitations."""
    settings, found = load(os.environ), UUID(campaign_id)
    with transaction() as session:
        campaign = session.get(Campaign, found)
        mode = campaign.mode if campaign else None
    if mode == Mode.INVITE:
        invitations.work_off(settings, found, _now)
    elif mode == Mode.ISSUE:
        runner.work_off(settings, found)


@jobs.periodic(cron="* * * * * */10")
@jobs.task(name="campaigns.tend", queueing_lock="campaigns.tend")
def tend(timestamp: int) -> None:
    """Start again what should run and does not: its worker died, or a quota of yesterday held it back."""
    del timestamp
    settings = load(os.environ)
    unfinished = select(Batch.campaign_id).where(Batch.state != BatchState.DONE)
    query = select(Campaign.id).where((Campaign.state == CampaignState.RUNNING) | Campaign.id.in_(unfinished))
    with transaction() as session:
        for campaign_id in session.scalars(query).all():
            if batches.has_work(session, campaign_id, now=_now()) and not runner.is_running(settings, campaign_id):
                enqueue(session, RUN_TASK, {"campaign_id": str(campaign_id)}, queueing_lock=f"campaign:{campaign_id}")


@jobs.periodic(cron="41 2 * * *")
@jobs.task(name="campaigns.purge", queueing_lock="campaigns.purge", lock="campaigns.purge")
def purge(timestamp: int) -> None:
    """Every night, forget the people of campaigns that are long over."""
    del timestamp
    with transaction() as session:
        due = retention.due(session, now=_now())
    for campaign_id in due:
        with transaction() as session:
            rows = retention.purge(session, campaign_id, now=_now())
        log.info("campaign_purged", campaign=str(campaign_id), rows=rows)


def _now() -> datetime:
    return datetime.now(UTC)
