"""The job that sends one message."""

from __future__ import annotations

import os
import smtplib
from datetime import UTC, datetime
from uuid import UUID

from app.core.db import transaction
from app.core.logs import log
from app.core.queue import RETRY, jobs
from app.core.settings import load
from app.notices import service, smtp


@jobs.task(name=service.SEND_TASK, retry=RETRY)
def send(notice_id: str) -> None:
    """Send a message unless a server has taken it already: never lost, and at most one duplicate for a crash."""
    settings, failure = load(os.environ), None
    if settings.smtp_url is None:
        return
    with transaction() as session:
        notice = service.claim_unsent(session, UUID(notice_id))
        if notice is None:
            return
        try:
            smtp.deliver(settings.smtp_url, settings.mail_from, notice.recipient, notice.mime)
        except (OSError, smtplib.SMTPException) as error:
            failure = error
            service.mark_failed(notice, error=type(error).__name__)
        else:
            service.mark_sent(notice, now=datetime.now(UTC))
    if failure is not None:
        # After the commit, so that the failed attempt is on record when the queue plans the next one.
        raise failure
    log.info("notice_sent", notice_id=notice_id)
