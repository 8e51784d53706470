"""Totals of the register from counters that triggers keep, so that nobody counts a million rows to show a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from app.certificates.models import Authority, CertificateState
from app.certificates.register_filters import Status
from app.certificates.register_models import CertificateCounter
from app.core.i18n import CITY_ZONE
from app.registry.models import Agency
from pki.profiles import ProfileName

# Not a state of a certificate: a row counts those in force whose last day is `day`.
ENDS: Final = "ends"
SHOWN: Final = (CertificateState.ISSUED, CertificateState.HELD, CertificateState.REVOKED)
_OF_STATUS: Final = {
    None: SHOWN,
    Status.SUSPENDED: (CertificateState.HELD,),
    Status.REVOKED: (CertificateState.REVOKED,),
}
_FINE_DAYS: Final = 120

_FOLD: Final = text(
    """
    WITH taken AS (
        DELETE FROM certificate_counter
        WHERE day IS NULL OR NOT folded OR (day < :coarse AND day <> date_trunc('month', day)::date)
            OR day IN (SELECT day FROM certificate_counter WHERE NOT folded)
        RETURNING CASE WHEN day < :coarse THEN date_trunc('month', day)::date ELSE day END AS day,
            state, authority_id, profile, agency_id, entered, "left", folded
    )
    INSERT INTO certificate_counter (day, state, authority_id, profile, agency_id, entered, "left", folded)
    SELECT day, state, authority_id, profile, agency_id, sum(entered), sum("left"), true
    FROM taken WHERE day IS NOT NULL GROUP BY day, state, authority_id, profile, agency_id
    UNION ALL
    SELECT NULL, state, authority_id, profile, agency_id, sum(entered), sum("left"), true
    FROM taken WHERE (day IS NULL OR NOT folded) AND state <> 'ends' GROUP BY state, authority_id, profile, agency_id
    """
)


@dataclass(frozen=True)
class Moved:
    """How many certificates were issued and revoked on a day."""

    day: date
    issued: int
    revoked: int


@dataclass(frozen=True)
class Share:
    """How many certificates in force or suspended belong to one agency or profile; `name` is of either."""

    name: str
    count: int


def total(
    session: Session,
    *,
    agencies: Sequence[UUID] | None,
    state: Status | None = None,
    profile: ProfileName | None = None,
    authority: str = "",
) -> int:
    """Return how many certificates there are. `state` is one that does not depend on the day."""
    found = [_TOTAL, CertificateCounter.state.in_(_OF_STATUS[state]), *_within(agencies)]
    if profile is not None:
        found.append(CertificateCounter.profile == profile)
    if authority:
        found.append(CertificateCounter.authority_id.in_(select(Authority.id).where(Authority.name == authority)))
    return session.scalar(select(_NOW_IN).where(*found)) or 0


def by_state(session: Session, agencies: Sequence[UUID] | None) -> dict[str, int]:
    """Return how many certificates are in each state now."""
    query = (
        select(CertificateCounter.state, _NOW_IN)
        .where(_TOTAL, CertificateCounter.state.in_(SHOWN), *_within(agencies))
        .group_by(CertificateCounter.state)
    )
    return {state: int(count) for state, count in session.execute(query)}


def ended(session: Session, *, now: datetime) -> int:
    """Return how many certificates of the whole city were in force when their validity ended."""
    today = now.astimezone(CITY_ZONE).date()
    query = select(_NOW_IN).where(CertificateCounter.state == ENDS, CertificateCounter.day < today)
    return session.scalar(query) or 0


def per_day(session: Session, agencies: Sequence[UUID] | None, *, now: datetime, days: int) -> list[Moved]:
    """Return the last `days` days, today last, the quiet ones too."""
    today = now.astimezone(CITY_ZONE).date()
    first = today - timedelta(days=days - 1)
    query = (
        select(
            CertificateCounter.day, *(_entered(state) for state in (CertificateState.ISSUED, CertificateState.REVOKED))
        )
        .where(
            CertificateCounter.state.in_((CertificateState.ISSUED, CertificateState.REVOKED)),
            CertificateCounter.day.between(first, today),
            *_within(agencies),
        )
        .group_by(CertificateCounter.day)
    )
    found = {day: (int(issued), int(revoked)) for day, issued, revoked in map(tuple, session.execute(query))}
    every = (first + timedelta(days=number) for number in range(days))
    return [Moved(day, *found.get(day, (0, 0))) for day in every]


def by_profile(session: Session, agencies: Sequence[UUID] | None) -> list[Share]:
    """Return how many certificates of each profile are in force or suspended, the most first."""
    query = (
        select(CertificateCounter.profile, _NOW_IN)
        .where(_TOTAL, CertificateCounter.state.in_(SHOWN[:2]), *_within(agencies))
        .group_by(CertificateCounter.profile)
    )
    return _sorted([Share(profile, int(count)) for profile, count in session.execute(query)])


def by_agency(session: Session, agencies: Sequence[UUID] | None) -> list[Share]:
    """Return how many certificates of each agency are in force or suspended, the most first."""
    query = (
        select(Agency.name, _NOW_IN)
        .join(Agency, Agency.id == CertificateCounter.agency_id)
        .where(_TOTAL, CertificateCounter.state.in_(SHOWN[:2]), *_within(agencies))
        .group_by(Agency.id, Agency.name)
    )
    return _sorted([Share(name, int(count)) for name, count in session.execute(query)])


def fold(session: Session, *, now: datetime) -> None:
    """Put rows of one day together; those older than four months into months. The sums stay as they are."""
    coarse = now.astimezone(CITY_ZONE).date() - timedelta(days=_FINE_DAYS)
    session.execute(_FOLD, {"coarse": coarse})


_TOTAL: Final = or_(CertificateCounter.day.is_(None), CertificateCounter.folded.is_(False))
_NOW_IN: Final = func.coalesce(func.sum(CertificateCounter.entered - CertificateCounter.left), 0)


def _entered(state: CertificateState) -> ColumnElement[int]:
    return func.coalesce(func.sum(CertificateCounter.entered).filter(CertificateCounter.state == state), 0)


def _within(agencies: Sequence[UUID] | None) -> list[ColumnElement[bool]]:
    return [] if agencies is None else [CertificateCounter.agency_id.in_(agencies)]


def _sorted(shares: list[Share]) -> list[Share]:
    return sorted((share for share in shares if share.count > 0), key=lambda share: (-share.count, share.name))
