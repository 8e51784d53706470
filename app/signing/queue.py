"""Several papers signed one after the other: which wait for a person, in which order, and what came of each.

A queue is a list of papers in an address, so it holds nothing: each paper is opened, looked at and signed by itself,
with all the questions that signing asks. Whoever stops has signed what was signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.permissions import Actor
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, MadeBy
from app.routes import board
from app.routes.models import Act

# More would not fit into an address.
MOST: Final = 50
_SIGNED: Final = (MadeBy.INITIALS, MadeBy.SIGNATURE)


@dataclass(frozen=True)
class Waiting:
    """A paper that waits for the person's signature or initials."""

    document: Document
    act: Act
    drafter: str
    agency: str
    due_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    document: Document
    # The version with the person's signature; None if it was left out.
    version: DocumentVersion | None


def waiting(session: Session, actor: Actor, *, now: datetime) -> Sequence[Waiting]:
    """Return the papers of the actor's turns that lack their signature, the most urgent first, at most `MOST`."""
    found: list[Waiting] = []
    for step in board.waiting_for(session, actor, now=now):
        if step.field_name is None:
            continue
        route = step.route
        done = {act.document_id for act in route.acts if act.step_id == step.id}
        found += [
            Waiting(paper.document, Act(step.act), route.drafter.full_name, route.agency.name, step.due_at)
            for paper in route.papers
            if paper.document_id not in done
        ]
    return found[:MOST]


def parse(text: str) -> tuple[UUID, ...]:
    """Return the papers of a queue as an address names them, each once; empty for anything else."""
    try:
        found = tuple(dict.fromkeys(UUID(one) for one in text.split(",")))
    except ValueError:
        return ()
    return found if len(found) <= MOST else ()


def outcomes(session: Session, actor: Actor, document_ids: Sequence[UUID]) -> Sequence[Outcome]:
    """Return what came of each paper that the actor may see, in the order of the queue."""
    query = select(Document).where(Document.id.in_(document_ids), documents.visible(actor))
    found = {one.id: one for one in session.scalars(query).unique()}
    return [Outcome(found[one], _signed_by(found[one], actor)) for one in document_ids if one in found]


def _signed_by(document: Document, actor: Actor) -> DocumentVersion | None:
    mine = [one for one in document.versions if one.made_by in _SIGNED and one.person_id == actor.person_id]
    return mine[-1] if mine else None
