"""The jobs that send messages, look after those that were left, and read the reports of mail that came back."""

from __future__ import annotations

import os
import secrets
import smtplib
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.core import failpoints
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import RETRY, jobs
from app.core.settings import Settings, load
from app.core.throttle import may_pass
from app.notices import bounces, dkim, service, smtp
from app.notices.models import Notice

_A_MINUTE: Final = timedelta(minutes=1)
# A letter for which the minute has no room waits so many seconds, and up to as many again.
_LATER: Final = 10


@jobs.task(name=service.SEND_TASK, retry=RETRY)
def send(notice_id: str) -> None:
    """Send a message unless a server has taken it already: never lost, and at most one duplicate for a crash."""
    settings, failure = load(os.environ), None
    if settings.smtp_url is None or not _has_turn(settings, notice_id):
        return
    with transaction() as session:
        notice = service.claim_unsent(session, UUID(notice_id))
        if notice is None:
            return
        try:
            _deliver(settings, settings.smtp_url, notice)
        except (OSError, smtplib.SMTPException) as error:
            failure = error
            if smtp.is_final(error):
                service.mark_bounced(notice, error=type(error).__name__)
            else:
                service.mark_failed(notice, error=type(error).__name__)
        else:
            failpoints.reach("notice.taken")
            service.mark_sent(notice, now=datetime.now(UTC))
    if failure is None:
        log.info("notice_sent", notice_id=notice_id)
    elif not smtp.is_final(failure):
        # After the commit, so that the failed attempt is on record when the queue plans the next one.
        raise failure


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="notices.sweep", queueing_lock="notices.sweep", lock="notices.sweep")
def sweep(timestamp: int) -> None:
    """Queue letters again that wait without a job: no mail server was known, or it was away for longer."""
    del timestamp
    if load(os.environ).smtp_url is None:
        return
    with transaction() as session:
        count = service.queue_left(session, now=datetime.now(UTC))
    if count:
        log.info("notices_queued_again", notices=count)


@jobs.periodic(cron="*/2 * * * *")
@jobs.task(name="notices.read_bounces", queueing_lock="notices.read_bounces", lock="notices.read_bounces")
def read_bounces(timestamp: int) -> None:
    """Read the reports in the Maildir for returned letters, if there is one."""
    del timestamp
    settings = load(os.environ)
    if settings.bounce_maildir is None:
        return
    for letter in bounces.waiting(settings.bounce_maildir):
        with transaction() as session:
            found = bounces.take(session, settings, letter.read_bytes())
        # After the commit: a report is read again rather than lost.
        bounces.put_away(settings.bounce_maildir, letter)
        log.info("bounce_read", notice_id=str(found) if found else None)


def _has_turn(settings: Settings, notice_id: str) -> bool:
    """Take a place in this minute, or put the letter off; in a transaction of its own, so that nobody waits for it."""
    now = datetime.now(UTC)
    with transaction() as session:
        if may_pass(session, "mail", limit=settings.mail_rate, per=_A_MINUTE, now=now):
            return True
        later = now + timedelta(seconds=_LATER + secrets.randbelow(_LATER))
        service.queue_sending(session, UUID(notice_id), not_before=later)
    return False


def _deliver(settings: Settings, smtp_url: str, notice: Notice) -> None:
    signer, mime = dkim.signer_of(settings), notice.mime
    if signer is not None:
        mime = dkim.sign(mime, signer, now=datetime.now(UTC))
    smtp.deliver(smtp_url, bounces.sender_of(settings, notice.id), notice.recipient, mime)
