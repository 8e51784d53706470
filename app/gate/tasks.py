"""The job of `worker` that signs the gates' lists whenever they changed or grew old."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from app.certificates import key_access, register
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import jobs
from app.core.settings import load
from app.gate import publications, signers
from app.meetings import passes
from pki.profiles import ProfileName


@jobs.periodic(cron="* * * * * */5")
@jobs.task(name="gate.publish_lists", queueing_lock="gate.publish_lists", lock="gate.publish_lists")
def publish_lists(timestamp: int) -> None:
    """Look every five seconds; sign only what changed, or what is four minutes old."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=now)
        if signer is None:
            return
        made = publications.publish(
            session,
            signers=signers.trusted(session, now=now),
            statuses=passes.ended_statuses(session, now=now),
            key=key_access.load(settings, signer.key_reference),
            now=now,
        )
    if made:
        log.info("gate_lists_published", kinds=made)
