"""What ending certificates touches, counted before it is done: the upper parts of the house say what they know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.certificates.models import Certificate
from app.core.errors import Sentence

# A query of ids of certificates: for one, for what a search finds, for a list of ten thousand.
Chosen = Select[UUID]


@dataclass(frozen=True)
class Consequence:
    """Something an ending touches: a sentence, and how many."""

    sentence: Sentence
    count: int


class ImpactProvider(Protocol):
    """Counts with indexed queries, for all chosen certificates at once."""

    def __call__(
        self, session: Session, chosen: Chosen, *, since: datetime | None, now: datetime
    ) -> Sequence[Consequence]:
        """`since` is when the key is thought to have been lost; what was signed from then on proves nothing."""


impact_providers: Final[list[ImpactProvider]] = []


def one(certificate: Certificate) -> Chosen:
    """Return the choice of a single certificate."""
    return select(Certificate.id).where(Certificate.id == certificate.id)


def impact(session: Session, chosen: Chosen, *, now: datetime, since: datetime | None = None) -> list[Consequence]:
    """Return what ending the chosen certificates touches; what touches nothing is left out."""
    found: Iterable[Consequence] = (
        consequence for provider in impact_providers for consequence in provider(session, chosen, since=since, now=now)
    )
    return [consequence for consequence in found if consequence.count]
