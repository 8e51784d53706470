"""The right to approve, paused for an officer or an agency until another administrator lifts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import false, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.alarms import service as alarms
from app.approvals.models import ApprovalPause
from app.audit import service as audit
from app.core.errors import Forbidden, NotFound
from app.core.permissions import Actor, Permission
from app.registry import scope


def check_not_paused(session: Session, actor: Actor, agency_id: UUID | None) -> None:
    """Raise Forbidden if the right to approve is paused for this officer, or for everybody in this agency."""
    of_agency = false() if agency_id is None else ApprovalPause.agency_id == agency_id
    query = select(ApprovalPause.account_id).where(
        ApprovalPause.lifted_at.is_(None), or_(ApprovalPause.account_id == actor.account_id, of_agency)
    )
    paused = session.execute(query).first()
    if paused is None:
        return
    ask = _l("Speak with an administrator: another one than you can lift the pause.")
    if paused.account_id is not None:
        raise Forbidden(
            _l("Your right to approve is paused, because you approved very many. Nothing was changed."), ask
        )
    raise Forbidden(_l("Approving for this agency is paused, because there were very many. Nothing was changed."), ask)


def pause(
    session: Session, actor: Actor, *, account_id: UUID | None, agency_id: UUID | None, rate: str, now: datetime
) -> None:
    """Pause an officer or an agency, raise the alarm and record both; nothing more while it is paused already."""
    new = insert(ApprovalPause).values(account_id=account_id, agency_id=agency_id, rate=rate, paused_at=now)
    made = session.execute(new.on_conflict_do_nothing().returning(ApprovalPause.id)).scalar_one_or_none()
    object_kind, object_id = ("account", account_id) if account_id else ("agency", agency_id)
    kind = "officer_over_rate" if account_id else "agency_over_rate"
    alarms.raise_alarm(session, kind, object_kind=object_kind, object_id=object_id, agency_id=None, rate=rate)
    if made is not None:
        audit.record(
            session,
            actor,
            "approval_paused",
            object_kind=object_kind,
            object_id=object_id,
            agency_id=agency_id,
            rate=rate,
        )


def paused(session: Session, actor: Actor) -> Sequence[ApprovalPause]:
    """Return what is paused now, the longest first; nothing for those who may not lift it."""
    if not scope.covers(session, actor, Permission.MANAGE_ACCOUNTS, None):
        return []
    query = select(ApprovalPause).where(ApprovalPause.lifted_at.is_(None)).order_by(ApprovalPause.paused_at)
    return session.scalars(query).all()


def lift(session: Session, actor: Actor, pause_id: UUID, *, now: datetime) -> ApprovalPause:
    """Lift a pause; lifting it twice changes nothing. Raises NotFound, Forbidden for one's own."""
    found = session.get(ApprovalPause, pause_id)
    if found is None or not scope.covers(session, actor, Permission.MANAGE_ACCOUNTS, None):
        raise NotFound(_l("There is no such pause."))
    if found.account_id is not None and found.account_id == actor.account_id:
        raise Forbidden(_l("You cannot lift your own pause."), _l("Ask another administrator."))
    changed = session.execute(
        update(ApprovalPause)
        .where(ApprovalPause.id == pause_id, ApprovalPause.lifted_at.is_(None))
        .values(lifted_at=now, lifted_by=actor.account_id)
        .returning(ApprovalPause.id)
    ).scalar_one_or_none()
    if changed is not None:
        object_kind, object_id = ("account", found.account_id) if found.account_id else ("agency", found.agency_id)
        audit.record(
            session, actor, "approval_pause_lifted", object_kind=object_kind, object_id=object_id, rate=found.rate
        )
    session.refresh(found)
    return found
