"""The jobs of `worker` that make sealed reports, and clear away what is left of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from procrastinate import RetryStrategy
from sqlalchemy.exc import OperationalError

from app.core.db import transaction
from app.core.errors import Unavailable
from app.core.failpoints import reach
from app.core.logs import log
from app.core.permissions import house
from app.core.queue import jobs
from app.core.settings import load
from app.core.timestamping import timestamper
from app.verification import report_seal, reports
from app.verification.spool import Kind, Spool
from pki.errors import PdfRefused

# Within the minutes that the file is there. What else goes wrong goes wrong again, and would hold up who comes after.
_RETRY: Final = RetryStrategy(max_attempts=5, exponential_wait=3, retry_exceptions={Unavailable, OperationalError})


@jobs.task(name=reports.MAKE_TASK, retry=_RETRY)
def make_report(order_id: str) -> None:
    """Check the file of an order, and seal what was found; the file is gone as soon as that is known."""
    settings, now, actor = load(os.environ), datetime.now(UTC), house("verification.make_report")
    with transaction() as session:
        renewed = report_seal.renew(session, settings, actor, now=now)
    if renewed is not None:
        log.info("report_seal_made", serial_hex=renewed.serial_hex)
    try:
        with transaction() as session:
            # The seal may have been made a moment ago: its certificate begins before this.
            made = reports.make(
                session, settings, actor, UUID(order_id), timestamp=timestamper(settings), now=datetime.now(UTC)
            )
    except PdfRefused as error:
        log.info("check_report_refused", order_id=order_id, fault=error.fault)
        with transaction() as session:
            reports.refuse(session, UUID(order_id), error.fault)
    else:
        log.info("check_report_sealed" if made else "check_report_over", order_id=order_id)
    reach("verification.report_committed")
    Spool(settings.data_dir).remove(UUID(order_id), Kind.FILE)


@jobs.periodic(cron="* * * * *")
@jobs.task(name="verification.sweep", queueing_lock="verification.sweep")
def sweep(timestamp: int = 0) -> None:
    """Every minute, take away what nobody waits for any more."""
    del timestamp
    with transaction() as session:
        count = reports.sweep(session, load(os.environ), now=datetime.now(UTC))
    if count:
        log.info("check_spool_swept", files=count)
