"""Who may act on a step now: the person it names, whoever holds the post it names, or who stands in for either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload

from app.accounts.models import Account, RoleGrant
from app.core.permissions import ROLE_PERMISSIONS, Permission
from app.registry.models import Agency, Person, Post
from app.registry.search import pattern
from app.routes.models import Act, Delegation, RouteStep, StepState

# What an act asks of a person's roles.
NEEDED: Final = {
    Act.INITIAL: Permission.SIGN_DOCUMENTS,
    Act.FORMAT: Permission.FOLLOW_ROUTES,
    Act.SIGN: Permission.SIGN_DOCUMENTS,
}


@dataclass(frozen=True)
class Standing:
    """How somebody comes to act: for whom, if it is handed to them."""

    person_id: UUID
    absent: Person | None


def may_act(person_id: UUID, *, now: datetime) -> ColumnElement[bool]:
    """Return the condition on RouteStep that it is open and the person may act on it at `now`.

    The query begins at the person, so that it costs what they have to do, however many routes there are.
    """
    step = aliased(RouteStep)
    theirs = [query.where(step.state == StepState.OPEN) for query in _named(step, step.id, person_id, now)]
    return RouteStep.id.in_(union(*theirs))


def routes_of(person_id: UUID) -> CompoundSelect[UUID]:
    """Return the routes with a step that names the person, now or by deputy, or that they did."""
    step = aliased(RouteStep)
    did = select(step.route_id).where(step.done_by == person_id)
    return union(did, *_named(step, step.route_id, person_id, None))


def is_named(person_id: UUID | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return the condition on RouteStep that it names the person, or a post that they hold."""
    holds = exists().where(
        Post.person_id == person_id,
        Post.agency_id == RouteStep.agency_id,
        Post.title == RouteStep.post_title,
        Post.ended_at.is_(None),
    )
    return or_(RouteStep.person_id == person_id, holds)


def standing(session: Session, step: RouteStep, person_id: UUID, *, now: datetime) -> Standing | None:
    """Return how the person may act on the step now; None if they may not."""
    this = RouteStep.id == step.id
    if session.scalar(select(RouteStep.id).where(this, is_named(person_id))) is not None:
        return Standing(person_id, None)
    query = (
        select(Person)
        .join(Delegation, Delegation.person_id == Person.id)
        .join(RouteStep, this)
        .where(Delegation.deputy_id == person_id, *_running(now), is_named(Delegation.person_id))
        .order_by(Delegation.made_at)
        .limit(1)
    )
    absent = session.scalar(query)
    return Standing(person_id, absent) if absent is not None else None


def holders(session: Session, step: RouteStep) -> Sequence[Person]:
    """Return the person that the step names, or those who hold its post now."""
    if step.person is not None:
        return [step.person]
    query = (
        select(Person)
        .join(Post)
        .where(Post.agency_id == step.agency_id, Post.title == step.post_title, Post.ended_at.is_(None))
        .order_by(Person.search_name)
    )
    return session.scalars(query).unique().all()


def deputies(session: Session, step: RouteStep, *, now: datetime) -> Sequence[Delegation]:
    """Return what hands the step to somebody else now."""
    named = [person.id for person in holders(session, step)]
    query = (
        select(Delegation)
        .join(RouteStep, RouteStep.id == step.id)
        .where(Delegation.person_id.in_(named), *_running(now))
    )
    return session.scalars(query).unique().all()


def can(permission: Permission) -> ColumnElement[bool]:
    """Return the condition on Person that an open account of theirs holds the permission somewhere."""
    roles = [role for role, may in ROLE_PERMISSIONS.items() if permission in may]
    return exists(
        select(Account.id)
        .join(RoleGrant)
        .where(Account.person_id == Person.id, Account.disabled_at.is_(None), RoleGrant.role.in_(roles))
        .correlate(Person)
    )


def is_able(session: Session, person_id: UUID, act: Act) -> bool:
    """Say whether the person's roles let them do such an act."""
    return session.scalar(select(Person.id).where(Person.id == person_id, can(NEEDED[act]))) is not None


def serves(agency_id: UUID | None) -> ColumnElement[bool]:
    """Return the condition on Person that they hold a post in the agency."""
    return exists().where(Post.person_id == Person.id, Post.agency_id == agency_id, Post.ended_at.is_(None))


def find(session: Session, text: str, permission: Permission, *, limit: int = 15) -> Sequence[Post]:
    """Return posts that are held by people with the permission, whose name, title or agency contains `text`."""
    if not text.strip():
        return []
    wanted = pattern(text)
    query = (
        select(Post)
        .join(Person, Person.id == Post.person_id)
        .join(Agency, Agency.id == Post.agency_id)
        .where(
            Post.ended_at.is_(None),
            can(permission),
            or_(
                Person.search_name.like(wanted),
                Agency.search_name.like(wanted),
                func.lower(Post.title) == text.strip().lower(),
            ),
        )
        .order_by(Person.search_name)
        .limit(limit)
        .options(joinedload(Post.person))
    )
    return session.scalars(query).unique().all()


def _named(
    step: type[RouteStep], column: InstrumentedAttribute[UUID], person_id: UUID, now: datetime | None
) -> Sequence[Select[UUID]]:
    """Return `column` of the steps that name the person, their post, or somebody whom they stand in for."""
    holds = and_(Post.agency_id == step.agency_id, Post.title == step.post_title, Post.ended_at.is_(None))
    deputising = and_(Delegation.deputy_id == person_id, *_running(now, step))
    return [
        select(column).where(step.person_id == person_id),
        select(column).join(Post, holds).where(Post.person_id == person_id),
        select(column).join(Delegation, Delegation.person_id == step.person_id).where(deputising),
        select(column).join(Post, holds).join(Delegation, Delegation.person_id == Post.person_id).where(deputising),
    ]


def _running(now: datetime | None, step: type[RouteStep] = RouteStep) -> list[ColumnElement[bool]]:
    # None: the database's clock.
    moment = func.now() if now is None else now
    hands_over = or_(
        and_(step.act == Act.INITIAL, Delegation.initials),
        and_(step.act == Act.FORMAT, Delegation.formats),
        and_(step.act == Act.SIGN, Delegation.signs),
    )
    return [Delegation.ended_at.is_(None), Delegation.first_day <= moment, Delegation.last_day > moment, hands_over]
