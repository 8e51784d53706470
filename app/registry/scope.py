"""Agency scope as a condition in the query: what is outside it is not found, for every reader alike."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.core.permissions import Actor, Permission
from app.registry.models import Agency


def within(
    actor: Actor, permission: Permission, agency_id: ColumnElement[Any] | InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """Return the condition that `agency_id` lies in a subtree where `actor` holds `permission`.

    A row whose agency is NULL belongs to the whole city and is seen only by those whose grant is the whole city.
    """
    grants = actor.grants_for(permission)
    if any(grant.agency_id is None for grant in grants):
        return true()
    top = aliased(Agency)
    conditions = [
        agency_id.in_(
            select(Agency.id).join(top, func.starts_with(Agency.path, top.path)).where(top.id == grant.agency_id)
        )
        for grant in grants
    ]
    return or_(false(), *conditions)


def covers(session: Session, actor: Actor, permission: Permission, agency_id: UUID | None) -> bool:
    """Say whether `actor` holds `permission` over one agency (None: the whole city)."""
    if agency_id is None:
        return any(grant.agency_id is None for grant in actor.grants_for(permission))
    query = select(Agency.id).where(Agency.id == agency_id, within(actor, permission, Agency.id))
    return session.scalar(query) is not None
