"""Jobs of `worker` for `status`: looking at it from outside, and renewing the certificates of its responders."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from app.core.db import transaction
from app.core.logs import log
from app.core.queue import jobs
from app.core.settings import load
from app.status import responders, service
from app.status.expected import expected
from app.status.look import Outside
from pki.errors import PkiError


@jobs.periodic(cron="* * * * *")
@jobs.task(name="status.watch", queueing_lock="status.watch")
def watch(timestamp: int) -> None:
    """Look at every public address and remember what was found."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        wanted = expected(session, now=now)
    if not wanted.authorities:
        return
    findings = list(Outside(settings.status_internal_url, wanted).findings())
    with transaction() as session:
        for one in service.record(session, findings, now=now):
            log.warning("status_not_well", target=one.target, judgement=one.judgement, detail=one.detail)


@jobs.periodic(cron="7 * * * *")
@jobs.task(name="status.renew_responders", queueing_lock="status.renew_responders")
def renew_responders(timestamp: int) -> None:
    """Make the next certificate of every responder that ends within fifteen days; `status` takes it up by itself."""
    del timestamp
    settings = load(os.environ)
    with transaction() as session:
        due = responders.due(session, now=datetime.now(UTC))
    for authority_id in due:
        try:
            with transaction() as session:
                responders.renew(session, settings, authority_id, now=datetime.now(UTC))
        except PkiError as error:
            # The root's key may be locked away: the health check says when its responder ends.
            log.error("responder_not_renewed", authority=str(authority_id), why=type(error).__name__)
