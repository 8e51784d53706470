"""The job of `worker` that leases rights to admit and signs the tablets' lists of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from app.certificates import key_access, register
from app.core.db import transaction
from app.core.logs import log
from app.core.queue import jobs
from app.core.settings import load
from app.gate import leases
from pki.profiles import ProfileName


@jobs.periodic(cron="* * * * * */5")
@jobs.task(name="gate.lease_rights", queueing_lock="gate.lease_rights", lock="gate.lease_rights")
def lease_rights(timestamp: int) -> None:
    """Lease the rights of meetings that are about to begin, and sign the list of every tablet whose leases changed."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        leased = leases.plan(session, now=now)
    with transaction() as session:
        signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=now)
        if signer is None:
            return
        signed = leases.sign_lists(session, key_access.load(settings, signer.key_reference), now=now)
    if leased or signed:
        log.info("gate_rights_leased", rights=leased, lists=signed)
