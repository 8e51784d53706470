"""Eight digits that a guest without a readable code says at the desk: random, kept as a keyed hash, good on one day.

They admit nobody by themselves: whoever sits at the desk sees the guest's record and decides.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import TooMany
from app.core.i18n import local
from app.core.settings import Settings
from app.core.throttle import may_pass
from app.meetings.models import Guest, Meeting, MeetingState, Room

LENGTH: Final = 8
# Of a building: a desk with a queue needs fewer, and guessing one code of a thousand guests would take weeks.
_TRIES: Final = 30
_PER: Final = timedelta(minutes=5)


def make(session: Session, settings: Settings, guest: Guest) -> str:
    """Give a guest a code that nobody else has and return it; the hash alone is kept with the guest."""
    while True:
        code = f"{secrets.randbelow(10**LENGTH):0{LENGTH}}"
        hashed = _hash(settings, code)
        if session.scalar(select(Guest.id).where(Guest.desk_code == hashed)) is None:
            guest.desk_code = hashed
            return code


def find(session: Session, settings: Settings, building_id: UUID, code: str, *, now: datetime) -> Guest | None:
    """Return the guest who has the code for a meeting in this building today. Raises TooMany.

    Each look-up counts, found or not; spaces and hyphens in what was typed do not matter.
    """
    if not may_pass(session, f"desk_code:{building_id}", limit=_TRIES, per=_PER, now=now):
        raise TooMany(_l("There were too many tries."), _l("Try again in five minutes, or look for the name."))
    digits = "".join(one for one in code if one not in " -.\u00a0")
    if len(digits) != LENGTH or not (digits.isascii() and digits.isdigit()):
        return None
    query = (
        select(Guest)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .where(
            Guest.desk_code == _hash(settings, digits),
            Guest.removed_at.is_(None),
            Meeting.state == MeetingState.SENT,
            Room.building_id == building_id,
        )
    )
    guest = session.scalars(query).unique().first()
    if guest is None or not _is_on(guest.meeting, now):
        return None
    return guest


def _is_on(meeting: Meeting, now: datetime) -> bool:
    return local(meeting.starts_at).date() <= local(now).date() <= local(meeting.ends_at).date()


def _hash(settings: Settings, code: str) -> bytes:
    key = HKDF(SHA256(), 32, None, b"kyvao desk code v1").derive(settings.secret_key.encode())
    return hmac.new(key, code.encode(), hashlib.sha256).digest()
