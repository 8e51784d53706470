"""What a look from outside can find: one finding for each thing looked at, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# An alarm comes before anything is stale: when a quarter of its life is left.
_NEAR: Final = 0.75


class Kind(StrEnum):
    CERTIFICATE = "certificate"
    LIST = "list"
    OCSP = "ocsp"
    RESPONDER = "responder"
    TIMESTAMP = "timestamp"
    UNIT = "unit"
    SERVICE = "service"


class Judgement(StrEnum):
    FINE = "fine"
    # Still good, but somebody must look now.
    SOON = "soon"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    # Such as `crl/issuing_citizens/17`.
    target: str
    kind: Kind
    judgement: Judgement
    # A few words in English: a number, an error; no names of people.
    detail: str
    # When it goes stale, or its certificate ends.
    fresh_until: datetime | None = None


def fine(target: str, kind: Kind, detail: str, fresh_until: datetime | None = None) -> Finding:
    return Finding(target, kind, Judgement.FINE, detail, fresh_until)


def wrong(target: str, kind: Kind, detail: str, fresh_until: datetime | None = None) -> Finding:
    return Finding(target, kind, Judgement.WRONG, detail, fresh_until)


def by_age(target: str, kind: Kind, detail: str, begins: datetime, ends: datetime, now: datetime) -> Finding:
    """Judge something that lives from `begins` to `ends`."""
    if now >= ends:
        return wrong(target, kind, f"{detail}, stale", ends)
    soon = now >= begins + (ends - begins) * _NEAR
    return Finding(target, kind, Judgement.SOON if soon else Judgement.FINE, detail, ends)


def by_days_left(target: str, kind: Kind, ends: datetime | None, least: timedelta, now: datetime) -> Finding:
    """Judge a certificate that must be renewed when less than `least` is left; None means that there is none."""
    if ends is None or ends <= now:
        return wrong(target, kind, "no usable certificate", ends)
    judgement = Judgement.SOON if ends - now < least else Judgement.FINE
    return Finding(target, kind, judgement, f"{(ends - now).days} days left", ends)
