"""Renewing a certificate: when, how the ends of many are spread, and a new key proven by the old one."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pki.profiles import PROFILES, ProfileName

# A renewal opens when so much of the profile's life is left: 30 of 90 days.
WINDOW: Final = 3
# Certificates made on one day end over so much of a life before its full length: 15 of 90 days.
SPREAD: Final = 6
_BACKDATE: Final = timedelta(minutes=1)


def spread(person_id: UUID, validity: timedelta) -> timedelta:
    """Return how much earlier than its full life the certificate of a person ends, in whole seconds.

    From nothing to a sixth of `validity`, evenly over people and the same for one person every time: a campaign for
    470,000 people then comes back over weeks, not on one day. Bulk issuing subtracts it through `not_after_limit`.
    """
    share = int.from_bytes(hashlib.sha256(b"kyvao spread" + person_id.bytes).digest()[:8], "big")
    return timedelta(seconds=int(validity.total_seconds()) // SPREAD * share >> 64)


def not_after_limit(person_id: UUID, profile: ProfileName, *, now: datetime) -> datetime:
    """Return when the certificate of a person made now ends at the latest."""
    validity = PROFILES[profile].validity
    return now.replace(microsecond=0) - _BACKDATE + validity - timedelta(seconds=1) - spread(person_id, validity)


def opens_at(profile: ProfileName, not_after: datetime) -> datetime:
    """Return from when a certificate may be renewed."""
    return not_after - PROFILES[profile].validity / WINDOW
