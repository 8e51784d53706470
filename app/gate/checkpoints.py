"""Checkpoints: the places where tablets stand."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.gate.models import Checkpoint
from app.meetings.models import Building


def listed(session: Session) -> Sequence[Checkpoint]:
    """Return every checkpoint, by building and name."""
    query = select(Checkpoint).join(Building).order_by(Building.name, Checkpoint.name)
    return session.scalars(query).unique().all()


def create_demonstration(session: Session, buildings: Sequence[Building]) -> None:
    """Give each building two gates."""
    for building in buildings:
        session.add_all(Checkpoint(building_id=building.id, name=name) for name in ("Cổng A", "Cổng B"))
    session.flush()
