"""Checkpoints: the places where tablets stand."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.core.permissions import Actor, Permission
from app.gate.models import Checkpoint
from app.meetings.models import Building
from app.registry import scope


def kept_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor looks after the tablets of a building."""
    return scope.within(actor, Permission.MANAGE_GATES, Building.keeper_id)


def listed(session: Session, actor: Actor) -> Sequence[Checkpoint]:
    """Return the checkpoints of the buildings that the actor looks after, by building and name."""
    query = select(Checkpoint).join(Building).where(kept_by(actor)).order_by(Building.name, Checkpoint.name)
    return session.scalars(query).unique().all()


def create_demonstration(session: Session, buildings: Sequence[Building]) -> None:
    """Give each building two gates."""
    for building in buildings:
        session.add_all(Checkpoint(building_id=building.id, name=name) for name in ("Cổng A", "Cổng B"))
    session.flush()
