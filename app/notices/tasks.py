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
from app.notices.models import NoticeState


@jobs.task(name=service.SEND_TASK, retry=RETRY)
def send(notice_id: str) -> None:
    """Send a message unless a server has taken it already: never lost, and at most one duplicate for a crash."""
    settings, identifier = load(os.environ), UUID(notice_id)
    with transaction() as session:
        notice = service.find(session, identifier)
    if notice.state == NoticeState.SENT or settings.smtp_url is None:
        return
    try:
        smtp.deliver(settings.smtp_url, settings.mail_from, notice.recipient, notice.mime)
    except (OSError, smtplib.SMTPException) as error:
        with transaction() as session:
            service.mark_failed(session, identifier, error=type(error).__name__)
        raise
    with transaction() as session:
        service.mark_sent(session, identifier, now=datetime.now(UTC))
    log.info("notice_sent", notice_id=notice_id, kind=notice.kind)
