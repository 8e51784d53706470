"""Replacing the papers of a route by new versions: a new route of the same steps, begun anew from the first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.documents.models import Document, DocumentVersion, MadeBy
from app.routes import drafts
from app.routes.holding import hold, record, refuse_other_than_drafter, refuse_stale, refuse_unless
from app.routes.models import Route, RouteDocument, RouteState
from app.routes.service import end_papers

_REPLACEABLE = (RouteState.RUNNING, RouteState.DECLINED, RouteState.SIGNED, RouteState.WITHDRAWN)


def replace(
    session: Session,
    actor: Actor,
    route_id: UUID,
    successors: Mapping[UUID, UUID],
    *,
    route_version: int,
    now: datetime,
) -> Route:
    """Return a draft with the same steps and recipients; the old route and its papers say that they are replaced.

    `successors` gives, for papers of the route, the paper of the drafter's that takes its place. The others come along
    as they were uploaded, without what was signed since. Twice returns the draft that is there.
    """
    old = hold(session, actor, route_id)
    refuse_other_than_drafter(old, actor)
    if old.state == RouteState.REPLACED:
        return session.scalars(select(Route).where(Route.replaces_id == old.id)).one()
    refuse_unless(old, *_REPLACEABLE, why=_l("This route cannot be replaced any more."))
    refuse_stale(old, route_version)
    if not successors or not set(successors) <= set(old.document_ids):
        raise Invalid(_l("Choose the document that takes the place of the old one."))
    papers = [_successor(session, paper.document, successors.get(paper.document_id), now=now) for paper in old.papers]
    if len({paper.id for paper in papers}) < len(papers):
        raise Invalid(_l("One document cannot take the place of two."))
    end_papers(session, old, now=now)
    new = Route(
        agency_id=old.agency_id,
        drafter_id=old.drafter_id,
        title=papers[0].title,
        search_title=papers[0].search_title,
        state=RouteState.DRAFT,
        version=1,
        created_at=now,
        replaces_id=old.id,
        papers=[RouteDocument(document_id=paper.id, position=position) for position, paper in enumerate(papers)],
    )
    session.add(new)
    session.flush()
    drafts.copy_into(session, old, new)
    old.state, old.ended_at = RouteState.REPLACED, old.ended_at or now
    old.version += 1
    session.flush()
    record(session, actor, "route_replaced", old, by=str(new.id))
    session.refresh(new)
    return new


def successor_of(session: Session, route: Route) -> Route | None:
    """Return the route that took the place of this one."""
    return session.scalar(select(Route).where(Route.replaces_id == route.id))


def _successor(session: Session, old: Document, wanted: UUID | None, *, now: datetime) -> Document:
    if wanted is None:
        return _as_uploaded(session, old, now=now)
    found = session.scalar(
        select(Document).where(Document.id == wanted, Document.owner_id == old.owner_id).with_for_update(of=Document)
    )
    if found is None:
        raise NotFound(_l("There is no such document, or it belongs to another agency."))
    if (
        session.get(RouteDocument, wanted) is not None
        or found.replaces_id is not None
        or found.withdrawn_at is not None
    ):
        raise Conflict(_l("This document is on a route already."), _l("Choose another document."))
    found.replaces_id = old.id
    return found


def _as_uploaded(session: Session, old: Document, *, now: datetime) -> Document:
    first = old.versions[0]
    made = Document(
        title=old.title,
        search_title=old.search_title,
        agency_id=old.agency_id,
        owner_id=old.owner_id,
        created_at=now,
        replaces_id=old.id,
    )
    session.add(made)
    session.flush()
    session.add(
        DocumentVersion(
            document_id=made.id,
            number=1,
            sha256=first.sha256,
            size=first.size,
            pages=first.pages,
            signatures=first.signatures,
            made_by=MadeBy.UPLOAD,
            person_id=first.person_id,
            made_at=now,
        )
    )
    session.flush()
    return made
