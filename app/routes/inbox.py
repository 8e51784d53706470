"""The incoming papers of an agency: found, counted, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.core.i18n import moment
from app.core.permissions import Actor, Permission
from app.registry.models import Person
from app.registry.search import pattern
from app.routes import people, words
from app.routes.board import LONGEST_EXPORT, PAGE, table
from app.routes.dispatch_models import Dispatch, DispatchState
from app.routes.models import Route
from app.routes.visibility import came_to

# What nobody of the agency has acknowledged yet.
NEW: Final = (DispatchState.SENT, DispatchState.ARRIVED)


@dataclass(frozen=True)
class Received:
    dispatches: Sequence[Dispatch]
    count: int
    number: int
    pages: int


def search(session: Session, actor: Actor, text: str, states: Sequence[DispatchState], *, page: int) -> Received:
    """Return a page (from 1) of what came to the actor's agencies, newest first; no states means all."""
    conditions = _conditions(actor, text, states)
    count = session.scalar(select(func.count()).select_from(Dispatch).join(Route).where(*conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, page), pages)
    query = _in_order(conditions).limit(PAGE).offset((number - 1) * PAGE)
    return Received(session.scalars(query).unique().all(), count, number, pages)


def export(session: Session, actor: Actor, text: str, states: Sequence[DispatchState]) -> bytes:
    """Return what came to the actor's agencies as CSV, at most 5,000."""
    query = _in_order(_conditions(actor, text, states)).limit(LONGEST_EXPORT)
    heads = (_("Title"), _("Sent by"), _("Sent to"), _("State"), _("Sent"), _("Assigned to"))
    lines = (
        (
            one.route.title,
            one.route.agency.name,
            one.recipient,
            str(words.DISPATCH_STATES[DispatchState(one.state)]),
            moment(one.sent_at) if one.sent_at else "",
            one.assignee.full_name if one.assignee else "",
        )
        for one in session.scalars(query).unique()
    )
    return table(heads, lines)


def unread(session: Session, actor: Actor) -> int:
    """Return how many papers came to the actor's agencies that nobody has acknowledged, or that are theirs to do."""
    mine = (Dispatch.state == DispatchState.ASSIGNED) & (Dispatch.assignee_id == actor.person_id)
    query = select(func.count()).select_from(Dispatch).where(came_to(actor), Dispatch.state.in_(NEW) | mine)
    return session.scalar(query) or 0


def colleagues(session: Session, agency_id: UUID | None) -> Sequence[Person]:
    """Return to whom a paper of the agency can be assigned, by name."""
    query = (
        select(Person)
        .where(people.serves(agency_id), people.can(Permission.FOLLOW_ROUTES))
        .order_by(Person.search_name)
        .limit(500)
    )
    return session.scalars(query).unique().all()


def _conditions(actor: Actor, text: str, states: Sequence[DispatchState]) -> list[ColumnElement[bool]]:
    conditions = [came_to(actor)]
    if text.strip():
        conditions.append(Route.search_title.like(pattern(text)))
    if states:
        conditions.append(Dispatch.state.in_(states))
    return conditions


def _in_order(conditions: list[ColumnElement[bool]]) -> Select[Dispatch]:
    return select(Dispatch).join(Route).where(*conditions).order_by(Dispatch.sent_at.desc(), Dispatch.id)
