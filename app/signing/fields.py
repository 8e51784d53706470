"""When a route starts, its papers get the places of every signature to come, before the first one (Decree 30)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import has_app_context
from sqlalchemy.orm import Session

from app.core.logs import log
from app.core.permissions import Actor
from app.core.running import storage
from app.core.storage import Storage
from app.documents import sandbox
from app.documents import service as documents
from app.documents.models import Document, MadeBy
from app.marks import service as marks
from app.routes import service as routes
from app.routes.models import Act, Route
from app.signing import fields_job
from pki.errors import PdfRefused

# Of a seal whose agency has not said otherwise.
SEAL_MM: Final = 36.0


def make_fields(session: Session, actor: Actor, route: Route, now: datetime) -> None:
    """Give every paper of the route that nobody has signed its fields, as a version of its own.

    A paper in which no place is found, or that was signed before, goes on as it is: who signs it chooses a place.
    Outside the web there is no storage at hand: a command that starts a route calls `add_fields` itself.
    """
    if not has_app_context():
        return
    for document_id in route.document_ids:
        add_fields(session, storage(), actor, route, documents.find(session, actor, document_id, for_change=True), now)


def add_fields(
    session: Session, storage: Storage, actor: Actor, route: Route, document: Document, now: datetime
) -> None:
    """Add the version with fields to one paper."""
    base = document.newest
    if base.signatures or actor.person_id is None:
        return
    planned = routes.planned_fields(route)
    facts = {
        "heads": [[one.name, one.person] for one in planned if one.act is Act.SIGN],
        "is_main": document.id == route.document_ids[0],
        "initials": [one.name for one in planned if one.act is Act.INITIAL],
        "seal_mm": marks.seal_diameter(session, route.agency_id) or SEAL_MM,
    }
    try:
        found, output = sandbox.run(fields_job.make_fields, facts, storage.path_of(base.sha256))
    except PdfRefused as error:
        log.warning("no_fields_made", document=str(document.id), why=str(error.fault))
        return
    with output:
        appended = output.read()
    if not found["fields"]:
        return
    documents.add_version(
        session,
        document,
        base=base,
        made_by=MadeBy.FIELDS,
        sha256=storage.put_after(base.sha256, appended),
        size=base.size + len(appended),
        pages=base.pages,
        signatures=0,
        person_id=actor.person_id,
        now=now,
    )
