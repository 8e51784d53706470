"""Jobs of `worker`: issuing approved requests, and keeping the revocation lists fresh."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.certificates import crls, key_access, requests
from app.certificates import personal_issuance as issuing
from app.certificates.journal import SigningJournal
from app.certificates.models import Authority
from app.certificates.publishing import PUBLISH_TASK
from app.core.db import transaction
from app.core.failpoints import reach
from app.core.logs import log
from app.core.queue import RETRY, jobs
from app.core.settings import load
from pki.errors import PkiError


@jobs.task(name=requests.ISSUE_TASK, retry=RETRY)
def issue(request_id: str) -> None:
    """Issue the certificate of an approved request; killed anywhere and run again, it ends with exactly one."""
    settings = load(os.environ)
    with transaction() as session:
        intent = issuing.record_intent(session, settings, UUID(request_id), now=datetime.now(UTC))
        key_reference = intent.authority.key_reference if intent else None
    if intent is None:
        return
    reach("request.intent_recorded")
    key = key_access.load(settings, key_reference)
    signed = issuing.sign(intent, key, SigningJournal(settings.data_dir))
    reach("request.journalled")
    with transaction() as session:
        done = issuing.complete(session, UUID(request_id), intent.id, signed, now=datetime.now(UTC))
        reach("request.before_commit")
    log.info("certificate_issued" if done else "certificate_abandoned", serial_hex=intent.serial_hex)


@jobs.task(name=PUBLISH_TASK, retry=RETRY)
def publish_crl(authority: str, shard: int) -> None:
    """Publish the next list of one shard."""
    settings = load(os.environ)
    with transaction() as session:
        found = session.scalars(select(Authority).where(Authority.name == authority)).one()
        made = crls.publish(session, settings, found, shard, now=datetime.now(UTC))
    log.info("crl_published", authority=authority, shard=shard, number=made.number)


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="certificates.refresh_crls", queueing_lock="certificates.refresh_crls")
def refresh_crls(timestamp: int) -> None:
    """Publish every list that is past the middle of its life."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        due = [(authority.name, shard) for authority, shard in crls.due(session, now=now)]
    for name, shard in due:
        try:
            with transaction() as session:
                found = session.scalars(select(Authority).where(Authority.name == name)).one()
                crls.publish(session, settings, found, shard, now=datetime.now(UTC))
        except PkiError as error:
            # One list that cannot be made must not stop the others; /healthz says so before it runs out.
            log.error("crl_not_published", authority=name, shard=shard, why=type(error).__name__)
