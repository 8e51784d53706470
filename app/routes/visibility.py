"""To whom routes and dispatches show a paper beyond the agency it was uploaded in."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select

from app.core.permissions import Actor, Permission
from app.documents.models import Document
from app.registry import scope
from app.routes.dispatch_models import Dispatch, DispatchState
from app.routes.holding import visible
from app.routes.models import Route, RouteDocument


def shows(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on Document: it travels on a route the actor may see, or came to their agency."""
    # Asked once for a query over all papers, not once for each of them.
    on_route = select(RouteDocument.document_id).join(Route, Route.id == RouteDocument.route_id).where(visible(actor))
    received = (
        select(RouteDocument.document_id)
        .join(Dispatch, Dispatch.route_id == RouteDocument.route_id)
        .where(came_to(actor))
    )
    return or_(Document.id.in_(on_route), Document.id.in_(received))


def came_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on Dispatch that it was sent to an agency of the actor's, or assigned to them."""
    to_agency = scope.within(actor, Permission.FOLLOW_ROUTES, Dispatch.agency_id)
    to_them = Dispatch.assignee_id == actor.person_id if actor.person_id is not None else false()
    return (Dispatch.state != DispatchState.PLANNED) & Dispatch.agency_id.is_not(None) & or_(to_agency, to_them)
