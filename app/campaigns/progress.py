"""How far a campaign is, how fast it goes, and when it will be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns.models import (
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Invitation,
    Mode,
    Outcome,
    Result,
    Row,
    RowState,
)
from app.notices.models import Notice
from app.notices.service import UNDELIVERED
from app.registry.models import Person
from app.registry.search import pattern

# The rate is what was done in the last minute.
_SPAN: Final = timedelta(minutes=1)
EXAMPLES: Final = 5


@dataclass(frozen=True)
class Progress:
    """Figures of one look; `percent` is None and `left` too while they are not known."""

    done: int
    failed: int
    total: int
    percent: int | None
    # People a second, in the last minute.
    rate: float
    left: timedelta | None


@dataclass(frozen=True)
class Rejected:
    """A reason, how many rows it has, and the first of them."""

    reason: str
    count: int
    first: Sequence[Row]


@dataclass(frozen=True)
class Invitations:
    """What became of the invitations of a campaign."""

    sent: int
    opened: int
    used: int
    letters: int
    letters_printed: int
    undelivered: int
    asked_again: int


def of_check(campaign: Campaign, *, now: datetime) -> Progress:
    """Return the progress of the check of a file; its end is estimated from the part that was read."""
    started = campaign.check_started_at or now
    spent = max((now - started).total_seconds(), 0.001)
    part = campaign.check_permille / 1000
    left = timedelta(seconds=spent * (1 - part) / part) if part > 0 else None
    return Progress(
        done=campaign.rows_checked,
        failed=campaign.rows_rejected,
        total=int(campaign.rows_checked / part) if part > 0 else 0,
        percent=campaign.check_permille // 10 if campaign.check_started_at else None,
        rate=campaign.rows_checked / spent,
        left=left,
    )


def of_run(session: Session, campaign: Campaign, *, now: datetime) -> Progress:
    """Return the progress of the waves."""
    finished = campaign.rows_done + campaign.rows_failed
    rate = _rate(session, campaign, now)
    remaining = campaign.rows_accepted - finished
    running = campaign.state == CampaignState.RUNNING
    return Progress(
        done=campaign.rows_done,
        failed=campaign.rows_failed,
        total=campaign.rows_accepted,
        percent=finished * 100 // max(1, campaign.rows_accepted),
        rate=rate,
        left=timedelta(seconds=remaining / rate) if running and rate > 0 else None,
    )


def rejected(session: Session, campaign_id: UUID) -> Sequence[Rejected]:
    """Return the reasons for which rows were rejected, the most frequent first, each with its first rows."""
    counted = session.execute(
        select(Row.reason, func.count())
        .where(Row.campaign_id == campaign_id, Row.state == RowState.REJECTED)
        .group_by(Row.reason)
        .order_by(func.count().desc(), Row.reason)
    ).all()
    return [
        Rejected(
            reason or "",
            count,
            session.scalars(
                select(Row)
                .where(Row.campaign_id == campaign_id, Row.state == RowState.REJECTED, Row.reason == reason)
                .order_by(Row.number)
                .limit(EXAMPLES)
            ).all(),
        )
        for reason, count in counted
    ]


def failures(session: Session, campaign_id: UUID) -> Sequence[tuple[str, int]]:
    """Return why accepted rows ended without a certificate or invitation, with their counts."""
    query = (
        select(Outcome.reason, func.count())
        .where(Outcome.campaign_id == campaign_id, Outcome.result.in_((Result.FAILED, Result.SKIPPED)))
        .group_by(Outcome.reason)
        .order_by(func.count().desc())
    )
    return [(reason or "", count) for reason, count in session.execute(query)]


def of_invitations(session: Session, campaign: Campaign) -> Invitations | None:
    """Return what became of the invitations; None for a campaign that has none."""
    if campaign.mode != Mode.INVITE or campaign.started_at is None:
        return None
    counts = session.execute(
        select(
            func.count(),
            func.count(Invitation.opened_at),
            func.count(Invitation.used_at),
            func.count().filter(Invitation.by_letter),
            func.count().filter(Invitation.by_letter, Invitation.printed_at.is_not(None)),
            func.count(Invitation.asked_again_at),
        ).where(Invitation.campaign_id == campaign.id)
    ).one()
    sent, opened, used, letters, printed, again = counts
    return Invitations(sent, opened, used, letters, printed, len(undelivered(session, campaign.id)), again)


def undelivered(session: Session, campaign_id: UUID) -> Sequence[tuple[Invitation, Notice]]:
    """Return the invitations whose mail no server has taken, and which do not go out on paper."""
    query = (
        select(Invitation, Notice)
        .join(Notice, (Notice.subject_kind == "enrolment_invitation") & (Notice.subject_id == Invitation.id))
        .where(
            Invitation.campaign_id == campaign_id,
            Invitation.by_letter.is_(False),
            Invitation.used_at.is_(None),
            Notice.state.in_(UNDELIVERED),
        )
        .order_by(Invitation.row_number)
        .limit(500)
    )
    return [(invitation, notice) for invitation, notice in session.execute(query)]


def asked_again(session: Session, campaign_id: UUID) -> Sequence[Invitation]:
    """Return the invitations of people who ask for a new link."""
    query = select(Invitation).where(Invitation.campaign_id == campaign_id, Invitation.asked_again_at.is_not(None))
    return session.scalars(query.order_by(Invitation.asked_again_at).limit(500)).all()


def search(session: Session, campaign_id: UUID, text: str) -> Sequence[Invitation]:
    """Return up to fifty invitations of people whose name holds `text`, or of the row with that number."""
    query = select(Invitation).where(Invitation.campaign_id == campaign_id).order_by(Invitation.row_number).limit(50)
    if text.isascii() and text.isdigit() and len(text) < 9:
        return session.scalars(query.where(Invitation.row_number == int(text))).all()
    people = select(Person.id).where(Person.search_name.like(pattern(text)))
    return session.scalars(query.where(Invitation.person_id.in_(people))).all()


def names_of(session: Session, campaign_id: UUID, numbers: Sequence[int]) -> dict[int, str]:
    """Return the names in some rows, by their number."""
    query = select(Row.number, Row.surname, Row.given_name).where(
        Row.campaign_id == campaign_id, Row.number.in_(numbers)
    )
    return {number: f"{surname or ''} {given or ''}".strip() for number, surname, given in session.execute(query)}


def _rate(session: Session, campaign: Campaign, now: datetime) -> float:
    since = now - _SPAN
    if campaign.started_at is not None:
        since = max(since, campaign.started_at)
    query = select(func.sum(func.cardinality(Batch.numbers))).where(
        Batch.campaign_id == campaign.id, Batch.state == BatchState.DONE, Batch.done_at > since
    )
    done = session.scalar(query) or 0
    return done / max((now - since).total_seconds(), 1.0)
