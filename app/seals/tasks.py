"""The job of `worker` that makes a seal which two administrators decided on."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from app.core.db import transaction
from app.core.logs import log
from app.core.permissions import house
from app.core.queue import RETRY, jobs
from app.core.settings import load
from app.seals import acts


@jobs.task(name=acts.MAKE_TASK, retry=RETRY)
def make(act_id: str) -> None:
    """Make the seal that an executed act decided; an agency that has one by now keeps it."""
    with transaction() as session:
        made = acts.make(session, load(os.environ), house("seals.make"), UUID(act_id), now=datetime.now(UTC))
    log.info("seal_made" if made else "seal_was_there", act_id=act_id)
