"""Jobs of `worker`: a guest's pass and letter, taking an invitation back, reminding and forgetting guests."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.certificates import key_access
from app.core import failpoints
from app.core.db import transaction
from app.core.logs import log
from app.core.permissions import house
from app.core.queue import RETRY, jobs
from app.core.settings import load
from app.core.storage import Storage
from app.meetings import entrances, letter_sealing, letters, pass_keys, passes, reminders, retention
from app.meetings.models import Guest
from app.notices import service as notices

_KEEPER: Final = house("meetings.pass_keys")


@jobs.task(name=passes.ISSUE_TASK, retry=RETRY)
def issue_pass(guest_id: str) -> None:
    """Give a guest a pass and queue the letter with it; a guest who holds a valid one is passed over."""
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        guest = passes.claim_guest(session, UUID(guest_id))
        if guest is None:
            return
        signer = pass_keys.signer_for(session, settings, guest.meeting.agency_id, actor=_KEEPER, now=now)
        key = key_access.load(settings, signer.certificate.key_reference)
        entrances.assign(session, guest)
        issued = passes.issue(session, settings, guest, signer.certificate, key, now=now)
        letter = letter_sealing.make(session, settings, guest, issued, now=now)
        if letter is not None:
            passes.keep_letter(settings, issued.row, letter)
        _queue(session, guest, letters.invitation(settings, guest, issued, letter, now=now), "invitation")
        failpoints.reach("invite.queued")
    log.info("pass_issued", guest_id=guest_id, status_index=issued.row.status_index, sealed=letter is not None)


@jobs.task(name=passes.CANCEL_TASK, retry=RETRY)
def send_cancellation(guest_id: str) -> None:
    """Queue the word that an invitation was taken back."""
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        guest = session.get(Guest, UUID(guest_id))
        if guest is not None:
            _queue(session, guest, letters.cancellation(settings, guest, now=now), "cancellation")


@jobs.periodic(cron="* * * * *")
@jobs.task(name="meetings.remind", queueing_lock="meetings.remind", lock="meetings.remind")
def remind(timestamp: int) -> None:
    """Every minute, queue the reminders that are due."""
    del timestamp
    settings, now, count = load(os.environ), datetime.now(UTC), 0
    while True:
        with transaction() as session:
            queued = reminders.remind(session, settings, now=now)
        if not queued:
            break
        count += queued
    if count:
        log.info("guests_reminded", guests=count)


@jobs.periodic(cron="23 * * * *")
@jobs.task(name="meetings.renew_pass_keys", queueing_lock="meetings.renew_pass_keys", lock="meetings.renew_pass_keys")
def renew_pass_keys(timestamp: int) -> None:
    """Every hour, make the keys for passes that are needed next and destroy those that have signed long enough."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        made = pass_keys.renew_ahead(session, settings, actor=_KEEPER, now=now)
    with transaction() as session:
        destroyed = pass_keys.destroy_old(session, settings, now=now)
    log.info("pass_keys_renewed", made=made, destroyed=destroyed)


@jobs.periodic(cron="17 2 * * *")
@jobs.task(name="meetings.forget", queueing_lock="meetings.forget", lock="meetings.forget")
def forget(timestamp: int) -> None:
    """Every night, forget the guests of meetings that are long over, and free the places of their passes."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        touched = retention.forget(session, Storage(settings.data_dir / "objects"), now=now)
        places = passes.give_places_back(session, now=now)
    log.info("guests_forgotten", guests=touched, places=places)


def _queue(session: Session, guest: Guest, message: EmailMessage, kind: str) -> None:
    notices.queue_notice(
        session,
        message,
        kind=kind,
        subject_kind="guest",
        subject_id=guest.id,
        agency_id=guest.meeting.agency_id,
    )
