"""What the papers of a route break of Decree 30/2020, paper by paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.storage import Storage
from app.marks import layout
from app.marks import service as marks
from app.marks.words import breach
from app.routes import people
from app.routes.models import Act, Route, RouteStep
from pki.layout.survey import Finding


def findings(session: Session, storage: Storage, route: Route) -> Mapping[UUID, Sequence[Finding]]:
    """Return what each paper breaks, by document; papers in which nothing is wrong are left out."""
    seal_mm = marks.seal_diameter(session, route.agency_id) or layout.SEAL_MM
    heads = [_head(session, step) for step in route.steps if step.act == Act.SIGN]
    found = {
        paper.document_id: layout.measure(
            storage.path_of(paper.document.newest.sha256), heads=heads, seal_mm=seal_mm, is_main=paper.position == 0
        )
        for paper in route.papers
    }
    return {document_id: broken for document_id, broken in found.items() if broken}


def refuse_breaches(session: Session, storage: Storage, route: Route) -> None:
    """Raise Invalid with the first rule that must not be broken, and where."""
    found = findings(session, storage, route)
    for paper in route.papers:
        for one in found.get(paper.document_id, ()):
            if layout.is_refused(one):
                what, next_step = breach(one)
                sentence = f"“{paper.document.title}”: {what}"
                raise Invalid(sentence, next_step)


def _head(session: Session, step: RouteStep) -> layout.Head:
    """Return the field of a head's signature, and whose name stands below it: who signed, or who is to sign."""
    person = step.doer or next(iter(people.holders(session, step)), None)
    return step.field_name or str(step.number), person.full_name if person is not None else None
