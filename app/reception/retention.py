"""Forgetting visitors as guests are (app/meetings/retention.py): numbers after a week, names after thirty days.

That somebody came, when and to whom stays, without a name.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.permissions import house
from app.meetings.retention import NAMES
from app.notices import service as notices
from app.reception.models import VisitState, WalkIn, WatchEntry, WatchState

# The hash of a card's number.
NUMBERS: Final = timedelta(days=7)
# What an entry of the watch list said, after its end: so long somebody may ask why they were stopped.
ENTRIES: Final = timedelta(days=365)


def forget(session: Session, *, now: datetime) -> int:
    """Forget what has outlived its reason and return how many rows that touched; doing it again touches none."""
    numbers = _forget_numbers(session, now)
    visitors = _forget_visitors(session, now)
    entries = _forget_entries(session, now)
    total = numbers + visitors + entries
    if total:
        audit.record(
            session,
            house("retention"),
            "visitors_forgotten",
            object_kind="house",
            object_id="visitors",
            numbers=numbers,
            visitors=visitors,
            entries=entries,
        )
    return total


def _forget_numbers(session: Session, now: datetime) -> int:
    gone = session.execute(
        update(WalkIn)
        .where(WalkIn.number_hash.is_not(None), WalkIn.created_at < now - NUMBERS)
        .values(number_hash=None)
        .returning(WalkIn.id)
    )
    return len(gone.all())


def _forget_visitors(session: Session, now: datetime) -> int:
    gone = session.scalars(
        update(WalkIn)
        .where(WalkIn.name != "", WalkIn.created_at < now - NAMES, WalkIn.state != VisitState.INSIDE)
        .values(name="", search_name="", organisation="", purpose="", note="", badge_sha256=None)
        .returning(WalkIn.id)
    ).all()
    # The name stands in the letter to the host too.
    notices.forget(session, gone)
    return len(gone)


def _forget_entries(session: Session, now: datetime) -> int:
    gone = session.execute(
        update(WatchEntry)
        .where(WatchEntry.name != "", WatchEntry.state == WatchState.ENDED, WatchEntry.ended_at < now - ENTRIES)
        .values(name="", search_name="", reason="", number_hash=None)
        .returning(WatchEntry.id)
    )
    return len(gone.all())
