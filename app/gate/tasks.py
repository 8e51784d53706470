"""The job of `worker` that signs the gates' lists whenever they changed or grew old."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from app.certificates import key_access, register
from app.core.db import transaction
from app.core.i18n import CITY_ZONE
from app.core.logs import log
from app.core.queue import jobs
from app.core.settings import load
from app.gate import entrances, publications, roster, roster_building, signers
from app.gate import leases_tasks as leases_tasks
from app.meetings import passes
from app.meetings.entrances import register_chooser
from pki.profiles import ProfileName

register_chooser(entrances.choose)


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


@jobs.periodic(cron="* * * * *")
@jobs.task(name="gate.build_rosters", queueing_lock="gate.build_rosters", lock="gate.build_rosters")
def build_rosters(timestamp: int) -> None:
    """Every minute, bring the rosters of today and tomorrow up to date and remove those of days that are over."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    today = now.astimezone(CITY_ZONE).date()
    with transaction() as session:
        signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=now)
        roster.forget_past(session, now=now)
        buildings = roster_building.buildings_with_tablets(session)
    if signer is None:
        return
    key = key_access.load(settings, signer.key_reference)
    for building in buildings:
        for day in (today, today + timedelta(days=1)):
            with transaction() as session:
                roster_building.build(session, settings, building, day, key=key, now=now)
