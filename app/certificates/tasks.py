"""Jobs of `worker`: issuing approved requests, keeping revocation lists fresh, what the life of a certificate asks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.alarms import service as alarms
from app.certificates import (
    authority_acts,
    authority_generations,
    bulk_revocation,
    crls,
    expiry,
    key_access,
    posts,
    register_counters,
    renewals,
    requests,
)
from app.certificates import personal_issuance as issuing
from app.certificates.journal import SigningJournal
from app.certificates.models import Authority
from app.certificates.publishing import PUBLISH_TASK
from app.core.db import transaction
from app.core.errors import AppError
from app.core.failpoints import reach
from app.core.logs import log
from app.core.permissions import house
from app.core.queue import RETRY, jobs
from app.core.settings import Settings, load
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
        done = issuing.complete(
            session, UUID(request_id), intent.id, signed, grace=settings.renewal_grace, now=datetime.now(UTC)
        )
        reach("request.before_commit")
    log.info("certificate_issued" if done else "certificate_abandoned", serial_hex=intent.serial_hex)


@jobs.periodic(cron="* * * * * */2")
@jobs.task(name=PUBLISH_TASK, queueing_lock=PUBLISH_TASK)
def publish_due(timestamp: int = 0) -> None:
    """Publish every list that is behind or due.

    The round every two seconds finds what committed while another round was running; with nothing to do it is one
    query over a table of a few hundred rows.
    """
    del timestamp
    settings = load(os.environ)
    signers = crls.Signers(settings)
    with transaction() as session:
        crls.keep_full_lists(session, wanted=settings.full_crls, now=datetime.now(UTC))
    while leases := _take():
        for lease in leases:
            _publish(settings, lease, signers)


@jobs.task(name="certificates.publish_crl")
def publish_crl(authority: str, shard: int) -> None:
    """Publish the next list of one shard now, behind or not. Raises CrlRefused if another publisher has it."""
    settings = load(os.environ)
    with transaction() as session:
        found = session.scalars(select(Authority).where(Authority.name == authority)).one()
        lease = crls.take_one(session, found, shard, now=datetime.now(UTC))
    _publish(settings, lease, crls.Signers(settings))


def _take() -> list[crls.Lease]:
    # Few at a time: what a dying worker has taken waits until its lease ends.
    with transaction() as session:
        return crls.take(session, now=datetime.now(UTC), count=8)


def _publish(settings: Settings, lease: crls.Lease, signers: crls.Signers) -> None:
    try:
        with transaction() as session:
            made = crls.publish_taken(session, settings, lease, signers, now=datetime.now(UTC))
    except PkiError as error:
        # One list that cannot be made must not stop the others.
        log.error("crl_refused", authority_id=str(lease.authority_id), shard=lease.shard, why=type(error).__name__)
        with transaction() as session:
            crls.note_refusal(session, lease, error, now=datetime.now(UTC))
        return
    if made is not None:
        log.info("crl_published", authority_id=str(lease.authority_id), shard=lease.shard, number=lease.number)


@jobs.periodic(cron="17 3 * * *")
@jobs.task(name="certificates.warn_of_ends", queueing_lock="certificates.warn_of_ends")
def warn_of_ends(timestamp: int) -> None:
    """Raise an alarm for each authority that stops issuing within a year."""
    del timestamp
    with transaction() as session:
        authority_generations.warn_of_ends(session, now=datetime.now(UTC))


@jobs.task(name=bulk_revocation.RUN_TASK, retry=RETRY)
def work_off_list(bulk_id: str) -> None:
    """Work off an approved list of certificates, a chunk a transaction; run again, it goes on where it stopped."""
    actor = house("certificates.bulk_revocation")
    more = True
    while more:
        with transaction() as session:
            more = bulk_revocation.work_off(session, actor, UUID(bulk_id), now=datetime.now(UTC))
        reach("revoke.committed_before_publish")
    log.info("bulk_revocation_done", bulk_id=bulk_id)


@jobs.periodic(cron="* * * * * */15")
@jobs.task(name="certificates.go_on_with_lists", queueing_lock="certificates.go_on_with_lists")
def go_on_with_lists(timestamp: int) -> None:
    """Go on with lists whose job died; while the job lives, the two take turns."""
    del timestamp
    with transaction() as session:
        unfinished = bulk_revocation.running(session)
    for bulk_id in unfinished:
        work_off_list(str(bulk_id))


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="certificates.end_superseded", queueing_lock="certificates.end_superseded")
def end_superseded(timestamp: int) -> None:
    """End the certificates that were renewed and whose days of grace are over."""
    del timestamp
    ended = renewals.BATCH
    while ended == renewals.BATCH:
        with transaction() as session:
            ended = renewals.end_superseded(session, house("certificates.renew"), now=datetime.now(UTC))


@jobs.periodic(cron="23 * * * *")
@jobs.task(
    name="certificates.tell_of_ends", queueing_lock="certificates.tell_of_ends", lock="certificates.tell_of_ends"
)
def tell_of_ends(timestamp: int) -> None:
    """Write to the holders of certificates that end soon, once for each step."""
    del timestamp
    settings = load(os.environ)
    with transaction() as session:
        steps = expiry.steps(session)
    for step in steps:
        after = None
        while True:
            with transaction() as session:
                after = expiry.tell(session, settings, step, after=after, now=datetime.now(UTC))
            if after is None:
                break


@jobs.periodic(cron="41 * * * *")
@jobs.task(name="certificates.propose", queueing_lock="certificates.propose")
def propose(timestamp: int) -> None:
    """Propose to end what is bound to a post that is left, and raise an alarm for what nobody decided for a day."""
    del timestamp
    with transaction() as session:
        posts.propose(session, house("certificates.propose"), now=datetime.now(UTC))
        posts.warn(session, now=datetime.now(UTC))


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="certificates.fold_counters", queueing_lock="certificates.fold_counters")
def fold_counters(timestamp: int) -> None:
    """Put the counters of the register together, so that sums stay short."""
    del timestamp
    with transaction() as session:
        register_counters.fold(session, now=datetime.now(UTC))


@jobs.task(name=authority_acts.ROLL_OVER_TASK)
def roll_over(act_id: str) -> None:
    """Make the next generation of an authority that two people decided on; run again, it changes nothing."""
    settings = load(os.environ)
    try:
        with transaction() as session:
            made = authority_acts.roll_over(
                session, settings, house("approved act"), UUID(act_id), now=datetime.now(UTC)
            )
    except (AppError, PkiError) as error:
        log.error("authority_not_rolled_over", act=act_id, why=type(error).__name__)
        with transaction() as session:
            alarms.raise_alarm(session, "authority_not_rolled_over", object_kind="act", object_id=act_id)
        return
    log.info("authority_rolled_over", authority=made.name)
