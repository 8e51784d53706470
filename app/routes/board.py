"""Where papers are: what waits for a person, the routes of an agency by state, and both as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.core.i18n import moment
from app.core.permissions import Actor
from app.registry.search import pattern
from app.routes import people, words
from app.routes.holding import visible
from app.routes.models import Route, RouteDocument, RouteState, RouteStep, StepState

PAGE: Final = 25
LONGEST_EXPORT: Final = 5_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Filter:
    text: str = ""
    # None for every state but drafts of others.
    state: RouteState | None = None
    # Only what the actor drafted.
    mine: bool = False


@dataclass(frozen=True)
class Found:
    routes: Sequence[Route]
    count: int
    number: int
    pages: int


def waiting_for(session: Session, actor: Actor, *, now: datetime) -> Sequence[RouteStep]:
    """Return the turns that the actor has, their own and those they stand in for, the most urgent first."""
    if actor.person_id is None:
        return []
    query = (
        select(RouteStep)
        .join(Route, Route.id == RouteStep.route_id)
        .where(
            Route.state == RouteState.RUNNING,
            RouteStep.state == StepState.OPEN,
            people.may_act(actor.person_id, now=now),
        )
        .order_by(RouteStep.due_at.asc().nulls_last(), RouteStep.opened_at)
    )
    return session.scalars(query).unique().all()


def came_back(session: Session, actor: Actor) -> Sequence[Route]:
    """Return the routes that were sent back to the actor, who drafted them."""
    query = select(Route).where(Route.state == RouteState.DECLINED, Route.drafter_id == actor.person_id)
    return session.scalars(query.order_by(Route.started_at)).unique().all() if actor.person_id else []


def route_of(session: Session, actor: Actor, document_id: UUID) -> UUID | None:
    """Return the route on which a paper travels; None if it is on none that the actor may see."""
    query = select(Route.id).join(RouteDocument).where(RouteDocument.document_id == document_id, visible(actor))
    return session.scalar(query)


def search(session: Session, actor: Actor, wanted: Filter, *, page: int) -> Found:
    """Return a page (from 1) of the routes that the actor may see, newest first."""
    conditions = _conditions(actor, wanted)
    count = session.scalar(select(func.count()).select_from(Route).where(*conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, page), pages)
    query = (
        select(Route)
        .where(*conditions)
        .order_by(Route.created_at.desc(), Route.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    return Found(session.scalars(query).unique().all(), count, number, pages)


def export(session: Session, actor: Actor, wanted: Filter) -> bytes:
    """Return the routes that the actor may see as CSV, at most 5,000; no cell begins a formula."""
    query = select(Route).where(*_conditions(actor, wanted)).order_by(Route.created_at.desc()).limit(LONGEST_EXPORT)
    heads = (_("Title"), _("State"), _("Drafted by"), _("Agency"), _("Whose turn"), _("Started"), _("Closed on"))
    return table(heads, (_line(session, route) for route in session.scalars(query).unique()))


def table(heads: Sequence[str], lines: Iterator[Sequence[str]]) -> bytes:
    """Return a CSV file (RFC 4180) in UTF-8 with its mark, as spreadsheets want it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(heads)
    writer.writerows([_harmless(cell) for cell in line] for line in lines)
    return f"\ufeff{buffer.getvalue()}".encode()


def whose_turn(session: Session, route: Route) -> Sequence[str]:
    """Return who has a turn now, by name; a post that nobody holds by its title."""
    names = []
    for step in route.open_steps if route.state == RouteState.RUNNING else []:
        held_by = [person.full_name for person in people.holders(session, step)]
        names.append(", ".join(held_by) or step.post_title or "")
    return names


def _conditions(actor: Actor, wanted: Filter) -> list[ColumnElement[bool]]:
    conditions = [visible(actor), Route.state != RouteState.TEMPLATE]
    if wanted.text.strip():
        conditions.append(Route.search_title.like(pattern(wanted.text)))
    if wanted.state is not None:
        conditions.append(Route.state == wanted.state)
    if wanted.mine:
        conditions.append(Route.drafter_id == actor.person_id)
    return conditions


def _line(session: Session, route: Route) -> Sequence[str]:
    return (
        route.title,
        str(words.STATES[RouteState(route.state)]),
        route.drafter.full_name,
        route.agency.name,
        "; ".join(whose_turn(session, route)),
        moment(route.started_at) if route.started_at else "",
        moment(route.ended_at) if route.ended_at else "",
    )


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
