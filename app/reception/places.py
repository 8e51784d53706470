"""The buildings that somebody keeps: what lies outside is not found."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.meetings.models import Building
from app.registry import scope


def listed(session: Session, actor: Actor, permission: Permission) -> Sequence[Building]:
    """Return the buildings over whose keeper the actor holds `permission`, by name."""
    query = select(Building).where(scope.within(actor, permission, Building.keeper_id)).order_by(Building.name)
    return session.scalars(query).all()


def find(session: Session, actor: Actor, permission: Permission, building_id: UUID) -> Building:
    """Return one of those buildings. Raises NotFound."""
    building = session.get(Building, building_id)
    if building is None or not scope.covers(session, actor, permission, building.keeper_id):
        raise NotFound(_l("There is no such building."))
    return building
