"""What the console shows of the authority: how many certificates stand how, and what moved lately; from counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.certificates import register_counters
from app.certificates.models import Certificate, CertificateState
from app.certificates.register_counters import Moved, Share
from app.certificates.register_filters import reach
from app.core.permissions import Actor

DAYS: Final = 90
AGENCIES: Final = 20


@dataclass(frozen=True)
class Figures:
    """The numbers of the agencies within somebody's reach."""

    in_force: int
    suspended: int
    revoked: int
    ended: int
    per_day: Sequence[Moved]
    # The agencies with the most certificates, and how many all the others have together.
    agencies: Sequence[Share]
    others: int
    profiles: Sequence[Share]


def figures(session: Session, actor: Actor, *, now: datetime) -> Figures:
    """Return the numbers that `actor` may see. Nothing is counted in the table of certificates for the whole city."""
    agencies = reach(session, actor)
    states = register_counters.by_state(session, agencies)
    ended = _ended(session, agencies, now)
    shares = register_counters.by_agency(session, agencies)
    return Figures(
        in_force=states.get(CertificateState.ISSUED, 0) - ended,
        suspended=states.get(CertificateState.HELD, 0),
        revoked=states.get(CertificateState.REVOKED, 0),
        ended=ended,
        per_day=register_counters.per_day(session, agencies, now=now, days=DAYS),
        agencies=shares[:AGENCIES],
        others=sum(share.count for share in shares[AGENCIES:]),
        profiles=register_counters.by_profile(session, agencies),
    )


def _ended(session: Session, agencies: Sequence[UUID] | None, now: datetime) -> int:
    """Return how many ended by time. The counter of ends knows no agencies; what one officer looks after is few."""
    if agencies is None:
        return register_counters.ended(session, now=now)
    over = (
        Certificate.agency_id.in_(agencies),
        Certificate.state == CertificateState.ISSUED,
        Certificate.not_after < now,
    )
    return session.scalar(select(func.count()).select_from(Certificate).where(*over)) or 0
