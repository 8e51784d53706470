"""The keys behind codes that change: one for each day, known to gates, and what a guest's page gets of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.i18n import local
from app.core.settings import Settings
from pki.passes import rotating
from pki.passes.claims import PassClaims

# A pass keeps the key of the day on which it begins to hold; an agency may let it hold for three days.
_DAYS_BACK: Final = 3


def key_of_pass(settings: Settings, claims: PassClaims) -> bytes:
    """Return the key that the guest's page makes its codes with."""
    return rotating.pass_key(_of_day(settings, local(claims.not_before).date()), claims.pass_id)


def is_fresh(settings: Settings, claims: PassClaims, code: bytes | None, *, now: datetime) -> bool:
    """Say whether a code of this moment was shown with the pass."""
    return code is not None and rotating.is_fresh(code, key_of_pass(settings, claims), now)


def for_gates(settings: Settings, *, now: datetime) -> dict[date, bytes]:
    """Return the keys of the days on which a pass that holds today or tomorrow may have begun."""
    today = local(now).date()
    days = (today + timedelta(days=away) for away in range(-_DAYS_BACK, 2))
    return {day: _of_day(settings, day) for day in days}


def _of_day(settings: Settings, day: date) -> bytes:
    info = b"kyvao day of rotating codes v1 " + day.isoformat().encode()
    return HKDF(SHA256(), rotating.DAY_KEY_LENGTH, None, info).derive(settings.secret_key.encode())
