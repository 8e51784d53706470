"""Whether a pass opens this gate now: one pure rule, the same in Python and in the tablet's TypeScript.

tests/data/passes holds the cases that both must answer alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from pki.passes.claims import PassClaims
from pki.passes.faults import PassFault
from pki.passes.status import PassStatus
from pki.passes.trust_list import Signer

CITY_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
# Tablets and guests' trains are not exact.
GRACE: Final = timedelta(minutes=2)


class Outcome(StrEnum):
    """What the guard does."""

    ADMIT = "admit"
    REFUSE = "refuse"
    LOOK_AGAIN = "look_again"


class Reason(StrEnum):
    """Why, for the sentence on the screen."""

    ADMITTED = "admitted"
    ALREADY_ADMITTED = "already_admitted"
    NOT_OURS = "not_ours"
    FORGED = "forged"
    UNKNOWN_KEY = "unknown_key"
    AGENCY_KEY_ENDED = "agency_key_ended"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    CHANGED = "changed"
    WRONG_BUILDING = "wrong_building"
    WRONG_ZONE = "wrong_zone"
    WRONG_DAY = "wrong_day"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    STALE_LISTS = "stale_lists"
    NO_NETWORK = "no_network"
    # Without network, and the right to admit is not leased to this tablet.
    NO_LEASE = "no_lease"
    # Another gate holds the right and cannot be asked.
    LEASED_ELSEWHERE = "leased_elsewhere"
    # Let in without network where that is the meeting's policy; whether it was the first time shows later.
    ADMITTED_UNCONFIRMED = "admitted_unconfirmed"
    # Had left, and may come in again.
    READMITTED = "readmitted"
    CHECKED_OUT = "checked_out"
    # A changing code of a past moment: a picture of it.
    OLD_CODE = "old_code"


@dataclass(frozen=True)
class Verdict:
    """The outcome, its reason, and the one fact that the sentence names (a time in the city's zone, or a place)."""

    outcome: Outcome
    reason: Reason
    at: datetime | None = None
    place: str | None = None


@dataclass(frozen=True)
class Place:
    """A checkpoint: the code of its building, and the zone bit it guards (0: the entrance)."""

    building: str
    zone: int = 0


@dataclass(frozen=True)
class Entry:
    """An admission that was made before with the same pass and slot."""

    at: datetime
    place: str


def decide(
    claims: PassClaims,
    signer: Signer,
    *,
    now: datetime,
    place: Place,
    status: PassStatus,
    lists_until: datetime,
    meeting_building: str | None,
    earlier: Entry | None,
) -> Verdict:
    """Return the verdict on a pass whose signature holds.

    `lists_until` is the earlier nextUpdate of the two lists. `meeting_building` is the code of the building the
    meeting is in, None where it is not known (a tablet without network). `earlier` is an admission already made.
    The order matters: what ended for good is named before what is only early, late or elsewhere.
    """
    ended = {
        PassStatus.WITHDRAWN: Reason.WITHDRAWN,
        PassStatus.SUSPENDED: Reason.SUSPENDED,
        PassStatus.CHANGED: Reason.CHANGED,
    }.get(status)
    if ended is not None:
        return Verdict(Outcome.REFUSE, ended)
    elsewhere = meeting_building is not None and meeting_building != place.building
    if elsewhere or (signer.buildings and place.building not in signer.buildings):
        return Verdict(Outcome.REFUSE, Reason.WRONG_BUILDING, place=meeting_building)
    if place.zone and not claims.zones & signer.zones & place.zone:
        return Verdict(Outcome.REFUSE, Reason.WRONG_ZONE)
    untimely = _untimely(claims, now)
    if untimely is not None:
        return untimely
    if earlier is not None:
        return Verdict(Outcome.REFUSE, Reason.ALREADY_ADMITTED, at=earlier.at, place=earlier.place)
    if now > lists_until:
        return Verdict(Outcome.LOOK_AGAIN, Reason.STALE_LISTS, at=lists_until)
    return Verdict(Outcome.ADMIT, Reason.ADMITTED)


def refuse_fault(fault: PassFault) -> Verdict:
    """Return what the guard is told about something that is no pass, or no good one."""
    reasons = {
        PassFault.NOT_OURS: Reason.NOT_OURS,
        PassFault.UNKNOWN_KEY: Reason.UNKNOWN_KEY,
        PassFault.KEY_NOT_CURRENT: Reason.AGENCY_KEY_ENDED,
        PassFault.ROLLBACK: Reason.STALE_LISTS,
    }
    # Damaged, changed, or valid for longer than its key may say: none of these happens to an honest pass.
    return Verdict(Outcome.REFUSE, reasons.get(fault, Reason.FORGED))


def _untimely(claims: PassClaims, now: datetime) -> Verdict | None:
    if claims.not_before - GRACE <= now <= claims.not_after + GRACE:
        return None
    days = {moment.astimezone(CITY_ZONE).date() for moment in (claims.not_before, claims.not_after)}
    today = now.astimezone(CITY_ZONE).date()
    if not min(days) <= today <= max(days):
        return Verdict(Outcome.REFUSE, Reason.WRONG_DAY, at=claims.not_before)
    if now < claims.not_before:
        return Verdict(Outcome.REFUSE, Reason.TOO_EARLY, at=claims.not_before)
    return Verdict(Outcome.REFUSE, Reason.TOO_LATE, at=claims.not_after)
