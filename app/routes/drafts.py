"""Composing a route, or a template: its papers, its steps in order, its recipients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.documents import service as documents
from app.documents.models import Document
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Post
from app.registry.search import fold
from app.routes import dispatch, people, rules
from app.routes.holding import LOOK_AGAIN, NO_ROUTE, lock, record
from app.routes.models import Act, Route, RouteDocument, RouteState, RouteStep

LONGEST_TITLE: Final = 200
_COMPOSED: Final = (RouteState.DRAFT, RouteState.TEMPLATE)


@dataclass(frozen=True)
class NewStep:
    """A step to add: who, by a post that they hold, and whether the step means them or whoever holds that post."""

    act: Act
    post_id: UUID
    by_post: bool
    # Acts at the same time as the step before.
    beside: bool
    # Working days to act, from 1 to 60; None for no limit.
    days: int | None


def create(session: Session, actor: Actor, document_id: UUID, *, template_id: UUID | None, now: datetime) -> Route:
    """Begin a route for a paper of the actor's, with the steps and recipients of a template if one is given.

    Beginning again for a paper that lies on a draft returns that draft. Raises Conflict if it travels already.
    """
    document = documents.find(session, actor, document_id, for_change=True)
    lying = session.get(RouteDocument, document_id)
    if lying is not None and lying.route.state == RouteState.DRAFT and lying.route.drafter_id == actor.person_id:
        return lying.route
    _refuse_unroutable(document, actor, lying)
    route = _new(session, actor, title=document.title, state=RouteState.DRAFT, now=now)
    _put(session, route, document)
    if template_id is not None:
        copy_into(session, find_template(session, actor, template_id), route)
    record(session, actor, "route_drafted", route)
    return route


def create_template(session: Session, actor: Actor, *, name: str, now: datetime) -> Route:
    """Begin an empty template of the actor's agency."""
    title = " ".join(name.split())
    if not title or len(title) > LONGEST_TITLE:
        raise Invalid(_l("Enter a name for the template, up to 200 characters."))
    template = _new(session, actor, title=title, state=RouteState.TEMPLATE, now=now)
    record(session, actor, "route_template_made", template)
    return template


def save_as_template(session: Session, actor: Actor, route: Route, *, name: str, now: datetime) -> Route:
    """Make a template of the steps and recipients of a route that the actor may see."""
    template = create_template(session, actor, name=name, now=now)
    copy_into(session, route, template)
    return template


def templates(session: Session, actor: Actor) -> Sequence[Route]:
    """Return the templates of the actor's agencies, by name."""
    query = (
        select(Route)
        .where(Route.state == RouteState.TEMPLATE, scope.within(actor, Permission.FOLLOW_ROUTES, Route.agency_id))
        .order_by(Route.search_title)
    )
    return session.scalars(query).unique().all()


def find_template(session: Session, actor: Actor, route_id: UUID) -> Route:
    """Return a template of the actor's agencies. Raises NotFound."""
    found = session.get(Route, route_id)
    if found is None or found.state != RouteState.TEMPLATE:
        raise NotFound(NO_ROUTE)
    if not scope.covers(session, actor, Permission.FOLLOW_ROUTES, found.agency_id):
        raise NotFound(NO_ROUTE)
    return found


def find(session: Session, actor: Actor, route_id: UUID) -> Route:
    """Return a draft of the actor's, or a template of their agencies, locked. Raises NotFound; Conflict if started."""
    found = session.get(Route, route_id)
    if found is None:
        raise NotFound(NO_ROUTE)
    if found.state == RouteState.TEMPLATE:
        find_template(session, actor, route_id)
    elif actor.person_id is None or found.drafter_id != actor.person_id:
        raise NotFound(NO_ROUTE)
    route = lock(session, route_id)
    if route.state not in _COMPOSED:
        raise Conflict(_l("This route was started, so it is not composed any more."), LOOK_AGAIN)
    return route


def attach(session: Session, actor: Actor, route_id: UUID, document_id: UUID) -> Route:
    """Put another paper of the actor's into the envelope; twice changes nothing."""
    document = documents.find(session, actor, document_id, for_change=True)
    route = find(session, actor, route_id)
    lying = session.get(RouteDocument, document_id)
    if lying is not None and lying.route_id == route.id:
        return route
    _refuse_unroutable(document, actor, lying)
    if len(route.papers) >= rules.MOST_PAPERS or route.state == RouteState.TEMPLATE:
        raise Invalid(_l("An envelope holds up to 20 documents."))
    _put(session, route, document)
    return route


def detach(session: Session, actor: Actor, route_id: UUID, document_id: UUID) -> Route:
    """Take an attachment out of the envelope; the main document stays."""
    route = find(session, actor, route_id)
    for paper in list(route.papers):
        if paper.document_id == document_id and paper.position:
            route.papers.remove(paper)
            route.version += 1
    session.flush()
    return route


def attachable(session: Session, actor: Actor, *, limit: int = 50) -> Sequence[Document]:
    """Return the actor's papers that are on no route, newest first."""
    query = (
        select(Document)
        .where(
            Document.owner_id == actor.person_id,
            Document.withdrawn_at.is_(None),
            Document.id.not_in(select(RouteDocument.document_id)),
        )
        .order_by(Document.created_at.desc())
        .limit(limit)
    )
    return session.scalars(query).unique().all()


def add_step(session: Session, actor: Actor, route_id: UUID, step: NewStep) -> Route:
    """Add a step at the end. Raises Invalid for a post that nobody holds or people who lack the right."""
    route = find(session, actor, route_id)
    if len(route.steps) >= rules.MOST_STEPS:
        raise Invalid(_l("A route has up to 30 steps."))
    post = session.get(Post, step.post_id)
    if post is None or post.ended_at is not None or not people.is_able(session, post.person_id, step.act):
        raise Invalid(_l("This person cannot do that step."), _l("Search for another official."))
    last = route.steps[-1] if route.steps else None
    position = last.position + (0 if step.beside else 1) if last is not None else 1
    route.steps.append(
        RouteStep(
            number=len(route.steps) + 1,
            position=position,
            act=step.act,
            person_id=None if step.by_post else post.person_id,
            agency_id=post.agency_id if step.by_post else None,
            post_title=post.title if step.by_post else None,
            days=step.days,
        )
    )
    return _changed(session, route)


def remove_step(session: Session, actor: Actor, route_id: UUID, step_id: UUID) -> Route:
    """Take a step out; twice changes nothing."""
    route = find(session, actor, route_id)
    for step in list(route.steps):
        if step.id == step_id:
            route.steps.remove(step)
    return _arranged(session, route, [list(group) for group in route.groups])


def move_step(session: Session, actor: Actor, route_id: UUID, step_id: UUID, *, up: bool) -> Route:
    """Move a step by one place: out of its group before or after it, or past the neighbour when it stands alone."""
    route = find(session, actor, route_id)
    groups = [list(group) for group in route.groups]
    place = next((i for i, group in enumerate(groups) if any(step.id == step_id for step in group)), None)
    if place is None:
        return route
    step = next(one for one in groups[place] if one.id == step_id)
    if len(groups[place]) > 1:
        groups[place].remove(step)
        groups.insert(place if up else place + 1, [step])
    else:
        other = place - 1 if up else place + 1
        if 0 <= other < len(groups):
            groups[place], groups[other] = groups[other], groups[place]
    return _arranged(session, route, groups)


def join_step(session: Session, actor: Actor, route_id: UUID, step_id: UUID) -> Route:
    """Let a step act at the same time as the one before it."""
    route = find(session, actor, route_id)
    groups = [list(group) for group in route.groups]
    place = next((i for i, group in enumerate(groups) if group[0].id == step_id), 0)
    if place:
        groups[place - 1] += groups.pop(place)
    return _arranged(session, route, groups)


def discard(session: Session, actor: Actor, route_id: UUID) -> None:
    """Delete a draft or a template; the papers stay as they are."""
    route = find(session, actor, route_id)
    for one in dispatch.of_route(session, route):
        session.delete(one)
    session.flush()
    record(session, actor, "route_discarded", route)
    session.delete(route)
    session.flush()


def copy_into(session: Session, source: Route, target: Route) -> None:
    """Give `target`, which has none yet, the steps and recipients of `source`."""
    for step in source.steps:
        target.steps.append(
            RouteStep(
                number=step.number,
                position=step.position,
                act=step.act,
                person_id=step.person_id,
                agency_id=step.agency_id,
                post_title=step.post_title,
                days=step.days,
            )
        )
    session.flush()
    dispatch.copy(session, source, target)


def _new(session: Session, actor: Actor, *, title: str, state: RouteState, now: datetime) -> Route:
    if actor.person_id is None:
        raise Invalid(_l("Your account belongs to no person, so it cannot draft a route."))
    post = registry.person(session, actor.person_id).current_post
    if post is None or not scope.covers(session, actor, Permission.FOLLOW_ROUTES, post.agency_id):
        raise Invalid(
            _l("You hold no post in an agency, so the route would belong to none. Nothing was stored."),
            _l("Ask your agency's administrator to enter your post."),
        )
    route = Route(
        agency_id=post.agency_id,
        drafter_id=actor.person_id,
        title=title,
        search_title=fold(title),
        state=state,
        version=1,
        created_at=now,
    )
    session.add(route)
    session.flush()
    return route


def _refuse_unroutable(document: Document, actor: Actor, lying: RouteDocument | None) -> None:
    if document.owner_id != actor.person_id:
        raise Conflict(_l("Only the person who uploaded a document sends it on a route."))
    if lying is not None:
        raise Conflict(_l("This document is on a route already."), _l("Open that route to see where it is."))
    if document.withdrawn_at is not None:
        raise Conflict(_l("This document was withdrawn or replaced, so it is not sent on a route."))


def _put(session: Session, route: Route, document: Document) -> None:
    position = max((paper.position for paper in route.papers), default=-1) + 1
    route.papers.append(RouteDocument(document_id=document.id, position=position))
    _changed(session, route)


def _arranged(session: Session, route: Route, groups: list[list[RouteStep]]) -> Route:
    number = 0
    for position, group in enumerate((one for one in groups if one), 1):
        for step in group:
            number += 1
            step.number, step.position = number, position
    return _changed(session, route)


def _changed(session: Session, route: Route) -> Route:
    route.version += 1
    session.flush()
    session.refresh(route)
    return route
