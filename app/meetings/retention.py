"""Forgetting guests when the reason for knowing them has passed: portraits after a day, names after thirty.

The guest's page and the letter promise both, so the lengths stand here once. Passes and admissions stay, without a
name: they say that somebody entered, not who.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.permissions import house
from app.core.storage import Storage
from app.meetings import portraits
from app.meetings.models import Guest, Meeting, Pass
from app.notices import service as notices

PORTRAITS: Final = timedelta(days=1)
NAMES: Final = timedelta(days=30)


def forget(session: Session, storage: Storage, *, now: datetime) -> int:
    """Forget what has outlived its reason and return how many guests that touched; doing it again touches none."""
    pictured = session.scalars(_of_meetings_over(now - PORTRAITS).where(Guest.portrait_sha256.is_not(None))).unique()
    touched = set()
    for guest in pictured.all():
        portraits.give(session, storage, guest, None)
        touched.add(guest.id)
    named = session.scalars(_of_meetings_over(now - NAMES).where(Guest.name != "")).unique().all()
    _forget_names(session, [guest.id for guest in named])
    touched |= {guest.id for guest in named}
    if touched:
        audit.record(
            session,
            house("retention"),
            "guests_forgotten",
            object_kind="house",
            object_id="guests",
            guests=len(touched),
        )
    return len(touched)


def _of_meetings_over(moment: datetime) -> Select[Guest]:
    return select(Guest).join(Meeting, Meeting.id == Guest.meeting_id).where(Meeting.ends_at < moment)


def _forget_names(session: Session, guest_ids: Sequence[UUID]) -> None:
    texts = dict.fromkeys(("name", "email", "organisation", "title", "seat", "needs", "answer_note"), "")
    session.execute(update(Guest).where(Guest.id.in_(guest_ids)).values(**texts, account_id=None, desk_code=None))
    # The name stands in the letter too.
    session.execute(update(Pass).where(Pass.guest_id.in_(guest_ids)).values(letter=None, letter_sha256=None))
    notices.forget(session, guest_ids)
