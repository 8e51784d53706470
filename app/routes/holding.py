"""Finding a route for somebody, and holding it against everybody else while it changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, NotFound, Sentence
from app.core.i18n import local
from app.core.permissions import Actor, Permission
from app.documents.models import Document
from app.registry import scope
from app.routes import people
from app.routes.models import Duty, Route, RouteAct, RouteDocument, RouteDuty, RouteState, RouteStep

NO_ROUTE: Final = _l("There is no such route, or it is not yours to see.")
NO_PAPER: Final = _l("There is no such document on this route.")
LOOK_AGAIN: Final = _l("Open the route again and look at it once more before you act.")
_SATURDAY: Final = 5


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor may see a route: their agency's, or one that they take part in."""
    started = Route.state.not_in((RouteState.DRAFT, RouteState.TEMPLATE))
    in_agency = and_(started, scope.within(actor, Permission.FOLLOW_ROUTES, Route.agency_id))
    if actor.person_id is None:
        return in_agency
    takes_part = Route.id.in_(people.routes_of(actor.person_id))
    mine = and_(Route.drafter_id == actor.person_id, Route.state != RouteState.TEMPLATE)
    return or_(mine, in_agency, and_(started, takes_part))


def find(session: Session, actor: Actor, route_id: UUID) -> Route:
    """Return a route that the actor may see. Raises NotFound otherwise."""
    route = session.scalar(select(Route).where(Route.id == route_id, visible(actor)))
    if route is None:
        raise NotFound(NO_ROUTE)
    return route


def hold(session: Session, actor: Actor, route_id: UUID) -> Route:
    """Return a route that the actor may see, its papers and itself locked until the transaction ends.

    Papers first and by their identifiers: signing holds its paper before it comes here, so nobody waits in a ring.
    """
    find(session, actor, route_id)
    session.execute(
        select(Document.id)
        .join(RouteDocument, RouteDocument.document_id == Document.id)
        .where(RouteDocument.route_id == route_id)
        .order_by(Document.id)
        .with_for_update(of=Document)
    )
    return lock(session, route_id)


def lock(session: Session, route_id: UUID) -> Route:
    """Return the route as it is now, locked. Raises NotFound."""
    query = select(Route).where(Route.id == route_id).with_for_update(of=Route)
    route = session.scalar(query.execution_options(populate_existing=True))
    if route is None:
        raise NotFound(NO_ROUTE)
    return route


def refuse_stale(route: Route, version: int) -> None:
    """Raise Conflict unless the route is as it was when the page with `version` was shown."""
    if route.version != version:
        raise Conflict(_l("Somebody else acted on this route in the meantime. Nothing was changed."), LOOK_AGAIN)


def refuse_unless(route: Route, *states: RouteState, why: Sentence) -> None:
    if route.state not in states:
        raise Conflict(why, LOOK_AGAIN)


def refuse_other_than_drafter(route: Route, actor: Actor) -> None:
    if actor.person_id is None or route.drafter_id != actor.person_id:
        raise Conflict(_l("Only the person who drafted it may do this."))


def take_duty(session: Session, route: Route, person_id: UUID, duty: Duty) -> None:
    """Note what the person is to the route. Raises Conflict if they are something else to it already."""
    session.execute(
        insert(RouteDuty).values(route_id=route.id, person_id=person_id, duty=duty).on_conflict_do_nothing()
    )
    held = session.scalar(
        select(RouteDuty.duty).where(RouteDuty.route_id == route.id, RouteDuty.person_id == person_id)
    )
    if held != duty:
        raise Conflict(
            _l(
                "You have acted on this route in another role. Content, form, signature and issue are the acts of"
                " different people."
            ),
            _l("Ask somebody else to do this step, for example by handing it over while you are away."),
        )


def add_act(
    session: Session,
    route: Route,
    *,
    step: RouteStep | None,
    document_id: UUID | None,
    version_id: UUID | None,
    person_id: UUID,
    duty: Duty,
    now: datetime,
) -> None:
    """Write down one act; the duty was taken before."""
    session.add(
        RouteAct(
            route_id=route.id,
            step_id=step.id if step is not None else None,
            document_id=document_id,
            version_id=version_id,
            person_id=person_id,
            duty=duty,
            acted_at=now,
        )
    )
    session.flush()
    session.expire(route, ["acts"])


def due(opened_at: datetime, days: int) -> datetime:
    """Return the end of the last of so many working days after the day of `opened_at` (holidays are not known)."""
    day = local(opened_at)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def record(session: Session, actor: Actor, act: str, route: Route, **facts: str | int | bool | None) -> None:
    """Add the act to the log, under the route's agency."""
    audit.record(session, actor, act, object_kind="route", object_id=route.id, agency_id=route.agency_id, **facts)
