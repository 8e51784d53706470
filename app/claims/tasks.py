"""The job of `worker` that signs the list of the keys of documents' codes."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from app.certificates import key_access, register
from app.claims import keys
from app.claims.service import PUBLISH_TASK
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import jobs
from app.core.settings import load
from pki.profiles import ProfileName


@jobs.periodic(cron="* * * * * */30")
@jobs.task(name=PUBLISH_TASK, queueing_lock=PUBLISH_TASK, lock=PUBLISH_TASK)
def publish_keys(timestamp: int) -> None:
    """Look every half minute; sign the list only when a key was added or ended, or once a day."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=now)
        if signer is None:
            return
        key = key_access.load(settings, signer.key_reference)
        made = keys.publish(session, keys.signers(session), signer=signer, key=key, now=now)
    if made:
        log.info("claim_keys_published")
