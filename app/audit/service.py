"""Writing the log of acts, in the transaction of the act itself, and reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from flask import g, has_request_context
from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.core.permissions import Actor

PAGE: Final = 50


def record(
    session: Session,
    actor: Actor,
    act: str,
    *,
    object_kind: str,
    object_id: object,
    agency_id: UUID | None = None,
    **facts: str | int | bool | None,
) -> None:
    """Add an entry for `act` (a constant such as `certificate_revoked`) to the session's transaction.

    `facts` are identifiers and enumerated values only: the log is kept for ever and read by auditors.
    """
    session.add(
        AuditEntry(
            actor_account_id=actor.account_id,
            actor_label=None if actor.account_id else actor.label,
            act=act,
            object_kind=object_kind,
            object_id=str(object_id),
            agency_id=agency_id,
            facts=dict(facts),
            reference=g.get("reference") if has_request_context() else None,
        )
    )


def newest(session: Session, *, before_id: int | None = None) -> Sequence[AuditEntry]:
    """Return a page of the whole log, newest first; `before_id` is the keyset of the next page."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(PAGE)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return session.scalars(query).all()


def about(session: Session, things: Mapping[str, Sequence[object]], *, many: int = 200) -> Sequence[AuditEntry]:
    """Return the newest entries about the objects, by their kinds, newest first."""
    named = [
        and_(AuditEntry.object_kind == kind, AuditEntry.object_id.in_([str(one) for one in ids]))
        for kind, ids in things.items()
    ]
    query = select(AuditEntry).where(or_(false(), *named)).order_by(AuditEntry.id.desc()).limit(many)
    return session.scalars(query).all()
