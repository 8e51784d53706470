"""Taking rows for a batch and storing what came out; each function is one step of one transaction.

A batch is planned (its rows are taken), then intended (what will be signed is recorded), then done. Whoever works on
it holds the lock of its journal from before it is planned until after it is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.campaigns.abandoned import HOUSE, abandon
from app.campaigns.intents import Intent, Intents
from app.campaigns.models import (
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Outcome,
    Result,
    Row,
    RowState,
    Wave,
    WaveState,
)
from app.certificates.models import CertificateState
from app.core.copying import copy_rows
from app.registry.search import fold

# The day of a quota begins at midnight in Vietnam.
_DAY: Final = timedelta(hours=7)


@dataclass(frozen=True)
class Timings:
    """Where the time of a batch went, in microseconds."""

    prove: int
    prepare: int
    sign: int


def open_batches(session: Session, campaign_id: UUID) -> Sequence[UUID]:
    """Return the batches that are not done, oldest first."""
    query = select(Batch.id).where(Batch.campaign_id == campaign_id, Batch.state != BatchState.DONE)
    return session.scalars(query.order_by(Batch.created_at)).all()


def has_work(session: Session, campaign_id: UUID, *, now: datetime) -> bool:
    """Say whether somebody should work on the campaign: batches are open, or rows may be taken, or waves are to close.

    A batch that is open is finished even when the campaign was paused or stopped: its intents may have been signed.
    """
    if open_batches(session, campaign_id):
        return True
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.state != CampaignState.RUNNING:
        return False
    today = _left_of_day(session, campaign, 1, now) > 0
    running = select(Wave).where(Wave.campaign_id == campaign_id, Wave.state == WaveState.RUNNING)
    return any(
        today or not _next_numbers(session, wave, 1) or _left_of_wave(session, wave, 1) < 1
        for wave in session.scalars(running)
    )


def plan(session: Session, campaign_id: UUID, batch_id: UUID, *, size: int, now: datetime) -> bool:
    """Take the next rows of the running waves for a batch; False when there are none, or the campaign does not run."""
    # Not locked: who pauses the campaign now finds this batch done, as if it had been taken a moment earlier.
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.state != CampaignState.RUNNING:
        return False
    running = select(Wave).where(Wave.campaign_id == campaign_id, Wave.state == WaveState.RUNNING)
    for wave in session.scalars(running.order_by(Wave.position).with_for_update()):
        most = min(size, _left_of_wave(session, wave, size), _left_of_day(session, campaign, size, now))
        numbers = _next_numbers(session, wave, most)
        if numbers:
            wave.cursor = numbers[-1]
            session.add(
                Batch(
                    id=batch_id,
                    campaign_id=campaign_id,
                    wave_id=wave.id,
                    state=BatchState.PLANNED,
                    numbers=numbers,
                    created_at=now,
                )
            )
            return True
    return False


def record(session: Session, batch: Batch, intents: Intents, passed_over: Iterable[Outcome]) -> None:
    """Record what will be signed, and the rows that will not be, with their reasons."""
    others = list(passed_over)
    batch.state, batch.intents = BatchState.INTENDED, intents.encode()
    session.add_all(others)
    session.flush()
    count(session, batch, failed=len(others))
    audit.record(
        session,
        HOUSE,
        "campaign_batch_recorded",
        object_kind="campaign",
        object_id=batch.campaign_id,
        batch=str(batch.id),
        certificates=len(intents.each),
        passed_over=len(others),
        intents_sha256=hashlib.sha256(batch.intents).hexdigest(),
    )


def store(
    session: Session,
    batch: Batch,
    intents: Intents,
    certificates: dict[int, bytes],
    *,
    timings: Timings,
    now: datetime,
) -> None:
    """Store the certificates (by row number) with their log entries and outcomes, and end the batch.

    Intents without a certificate are abandoned: listed as revoked, their rows planned again under new serial numbers.
    Doing it again changes nothing.
    """
    if batch.state != BatchState.INTENDED:
        return
    issued = [one for one in intents.each if one.number in certificates]
    abandoned = [one for one in intents.each if one.number not in certificates]
    _copy_certificates(session, intents, issued, certificates, now)
    _copy_entries(session, batch, issued)
    _copy_outcomes(session, batch, issued, now)
    if abandoned:
        abandon(session, batch, intents, abandoned, now=now)
    batch.state, batch.intents, batch.done_at = BatchState.DONE, None, now
    batch.prove_us, batch.prepare_us, batch.sign_us = timings.prove, timings.prepare, timings.sign
    session.flush()
    count(session, batch, done=len(issued))


def end_waves(session: Session, campaign_id: UUID, *, now: datetime) -> None:
    """Close the running waves that have no rows left, and the campaign when none of its waves has any."""
    if open_batches(session, campaign_id):
        return
    # Waves before their campaign, as everywhere.
    waves = session.scalars(
        select(Wave).where(Wave.campaign_id == campaign_id).order_by(Wave.position).with_for_update()
    ).all()
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None or campaign.state != CampaignState.RUNNING:
        return
    for wave in waves:
        over = not _next_numbers(session, wave, 1) or _left_of_wave(session, wave, 1) < 1
        if wave.state == WaveState.RUNNING and over:
            wave.state, wave.finished_at = WaveState.DONE, now
    if all(wave.state in {WaveState.DONE, WaveState.STOPPED} for wave in waves):
        campaign.state, campaign.finished_at = CampaignState.FINISHED, now
        audit.record(
            session,
            HOUSE,
            "campaign_finished",
            object_kind="campaign",
            object_id=campaign.id,
            agency_id=campaign.agency_id,
            done=campaign.rows_done,
            failed=campaign.rows_failed,
        )


def _left_of_wave(session: Session, wave: Wave, size: int) -> int:
    if wave.quota is None:
        return size
    taken = session.scalar(select(func.sum(func.cardinality(Batch.numbers))).where(Batch.wave_id == wave.id))
    return max(0, wave.quota - (taken or 0))


def _left_of_day(session: Session, campaign: Campaign, size: int, now: datetime) -> int:
    if campaign.quota_per_day is None:
        return size
    midnight = (now + _DAY).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - _DAY
    taken = session.scalar(
        select(func.sum(func.cardinality(Batch.numbers))).where(
            Batch.campaign_id == campaign.id, Batch.created_at >= midnight
        )
    )
    return max(0, campaign.quota_per_day - (taken or 0))


def _next_numbers(session: Session, wave: Wave, most: int) -> list[int]:
    query = (
        select(Row.number)
        .where(
            Row.campaign_id == wave.campaign_id,
            Row.wave_id == wave.id,
            Row.number > wave.cursor,
            Row.state == RowState.ACCEPTED,
        )
        .order_by(Row.number)
        .limit(most)
    )
    return list(session.scalars(query))


def count(session: Session, batch: Batch, *, done: int = 0, failed: int = 0) -> None:
    """Add to the counters of wave and campaign, always in this order, so that two batches never wait in a ring."""
    if not (done or failed):
        return
    session.execute(
        update(Wave)
        .where(Wave.id == batch.wave_id)
        .values(rows_done=Wave.rows_done + done, rows_failed=Wave.rows_failed + failed)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Campaign)
        .where(Campaign.id == batch.campaign_id)
        .values(rows_done=Campaign.rows_done + done, rows_failed=Campaign.rows_failed + failed)
        .execution_options(synchronize_session=False)
    )


def _copy_certificates(
    session: Session, intents: Intents, issued: Sequence[Intent], certificates: dict[int, bytes], now: datetime
) -> None:
    copy_rows(
        session,
        "certificate (id, authority_id, serial, shard, state, profile, profile_digest, person_id, agency_id, label,"
        " search_name, not_before, not_after, spki_sha256, der, sha256, created_at)",
        "uuid uuid bytea int4 text text text uuid uuid text text timestamptz timestamptz text bytea text timestamptz",
        (
            (
                one.certificate_id,
                intents.authority_id,
                one.serial,
                one.shard,
                CertificateState.ISSUED.value,
                intents.profile,
                intents.profile_digest,
                one.person_id,
                one.agency_id,
                one.label,
                fold(one.label),
                one.not_before,
                one.not_after,
                one.spki_sha256.hex(),
                certificates[one.number],
                hashlib.sha256(certificates[one.number]).hexdigest(),
                now,
            )
            for one in issued
        ),
    )


def _copy_entries(session: Session, batch: Batch, issued: Sequence[Intent]) -> None:
    campaign = str(batch.campaign_id)
    copy_rows(
        session,
        "audit_entry (actor_label, act, object_kind, object_id, agency_id, facts)",
        "text text text text uuid jsonb",
        (
            (
                HOUSE.label,
                "certificate_issued",
                "certificate",
                str(one.certificate_id),
                one.agency_id,
                Jsonb({"serial": one.serial.hex(), "campaign": campaign}),
            )
            for one in issued
        ),
    )


def _copy_outcomes(session: Session, batch: Batch, issued: Sequence[Intent], now: datetime) -> None:
    copy_rows(
        session,
        "campaign_outcome (campaign_id, number, result, person_id, certificate_id, done_at)",
        "uuid int4 text uuid uuid timestamptz",
        (
            (batch.campaign_id, one.number, Result.CERTIFIED.value, one.person_id, one.certificate_id, now)
            for one in issued
        ),
    )
