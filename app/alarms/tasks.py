"""The job that tells administrators of an alarm."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID, uuid5

from app.alarms import letters, readers, service
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import RETRY, jobs
from app.core.settings import load
from app.notices import service as notices


@jobs.task(name=service.TELL_TASK, retry=RETRY)
def tell(alarm_id: str) -> None:
    """Queue one letter to each administrator who may close the alarm; none if it is closed already."""
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        alarm = service.find(session, UUID(alarm_id))
        if alarm is None or alarm.closed_at is not None:
            return
        told = readers.of(session, alarm)
        for account_id, address in told:
            message = letters.letter(settings, alarm, address, now=now)
            # One subject for each reader: a message about the same subject would take the place of the one before.
            subject = uuid5(alarm.id, str(account_id))
            notices.queue_notice(
                session, message, kind="alarm", subject_kind="alarm", subject_id=subject, agency_id=alarm.agency_id
            )
    log.warning("alarm_raised", alarm_id=alarm_id, kind=alarm.kind, told=len(told))
