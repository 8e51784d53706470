"""Finding acts: what waits for a person, what they asked for, what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.approvals.kinds import known
from app.approvals.models import Act, ActState, ActSubject, ActVote, Decision
from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.registry import scope

PAGE: Final = 50


def find(session: Session, act_id: UUID) -> Act | None:
    return session.get(Act, act_id)


def find_visible(session: Session, actor: Actor, act_id: UUID) -> Act:
    """Return an act that the actor asked for, may decide on, or may read as an auditor. Raises NotFound."""
    act = session.scalar(select(Act).where(Act.id == act_id, _visible(actor)))
    if act is None:
        raise NotFound(_l("There is no such request."))
    return act


def pending(session: Session, actor: Actor) -> Sequence[Act]:
    """Return the acts that this actor may decide on now, the first to expire first."""
    return session.scalars(select(Act).where(_waits_for(actor)).order_by(Act.expires_at)).all()


def count_pending(session: Session, actor: Actor) -> int:
    return session.execute(select(func.count()).select_from(Act).where(_waits_for(actor))).scalar_one()


def asked_by(
    session: Session, actor: Actor, *, kind: str | None = None, before: datetime | None = None
) -> Sequence[Act]:
    """Return a page of the actor's own requests, newest first."""
    query = select(Act).where(Act.requested_by == actor.account_id)
    return _page(session, query, kind, before)


def decided(
    session: Session, actor: Actor, *, kind: str | None = None, before: datetime | None = None
) -> Sequence[Act]:
    """Return a page of the ended acts that the actor may see, newest request first."""
    return _page(session, select(Act).where(Act.state != ActState.PENDING, _visible(actor)), kind, before)


def all_pending(session: Session, actor: Actor) -> Sequence[Act]:
    """Return every pending act that the actor may see, for the reader who decides nothing."""
    query = select(Act).where(Act.state == ActState.PENDING, _visible(actor)).order_by(Act.expires_at)
    return session.scalars(query).all()


def approvals_of(session: Session, act_id: UUID) -> int:
    query = select(func.count()).where(ActVote.act_id == act_id, ActVote.decision == Decision.APPROVE)
    return session.execute(query).scalar_one()


def votes(session: Session, act_id: UUID) -> Sequence[tuple[ActVote, str]]:
    """Return the votes in their order, each with the name of the voter."""
    query = select(ActVote, Account.label).join(Account, Account.id == ActVote.account_id)
    rows = session.execute(query.where(ActVote.act_id == act_id).order_by(ActVote.voted_at))
    return [(vote, label) for vote, label in rows]


def _page(session: Session, query: Select[Act], kind: str | None, before: datetime | None) -> Sequence[Act]:
    if kind is not None:
        query = query.where(Act.kind == kind)
    if before is not None:
        query = query.where(Act.requested_at < before)
    return session.scalars(query.order_by(Act.requested_at.desc()).limit(PAGE)).all()


def _waits_for(actor: Actor) -> ColumnElement[bool]:
    voted = exists().where(ActVote.act_id == Act.id, ActVote.account_id == actor.account_id)
    about = exists().where(ActSubject.act_id == Act.id, ActSubject.person_id == actor.person_id)
    return and_(
        Act.state == ActState.PENDING,
        Act.expires_at > func.now(),
        Act.requested_by != actor.account_id,
        ~voted,
        ~about,
        or_(Act.object_kind != "account", Act.object_id != str(actor.account_id)),
        _decidable(actor),
    )


def _decidable(actor: Actor) -> ColumnElement[bool]:
    kinds = [and_(Act.kind == kind.name, scope.within(actor, kind.permission, Act.agency_id)) for kind in known()]
    return or_(false(), *kinds)


def _visible(actor: Actor) -> ColumnElement[bool]:
    own = Act.requested_by == actor.account_id
    return or_(own, _decidable(actor), scope.within(actor, Permission.READ_AUDIT, Act.agency_id))
