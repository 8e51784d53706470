"""Entering people, agencies and posts into the registry, and finding them."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.registry.models import Agency, Person, Post
from app.registry.search import fold


def new_identifier() -> str:
    """Return an opaque identifier for `serialNumber` (80 random bits, national scheme form of EN 319 412-1, 5.1.3)."""
    return f"XX:VN-{secrets.token_hex(10).upper()}"


def add_agency(session: Session, *, code: str, name: str, parent: Agency | None, actor: Actor) -> Agency:
    """Add an agency below `parent`, or at the top."""
    agency = Agency(
        code=code,
        name=name,
        search_name=fold(name),
        parent_id=parent.id if parent else None,
        path=f"{parent.path if parent else ''}{code}/",
    )
    session.add(agency)
    session.flush()
    audit.record(session, actor, "agency_added", object_kind="agency", object_id=agency.id, agency_id=agency.id)
    return agency


def add_person(session: Session, *, surname: str, given_name: str, email: str | None, actor: Actor) -> Person:
    """Add a person; `surname` and `given_name` in the order Vietnamese write them (given name last)."""
    full_name = f"{surname} {given_name}"
    person = Person(
        identifier=new_identifier(),
        surname=surname,
        given_name=given_name,
        full_name=full_name,
        search_name=fold(full_name),
        email=email,
    )
    session.add(person)
    session.flush()
    audit.record(session, actor, "person_added", object_kind="person", object_id=person.id)
    return person


def appoint(session: Session, person: Person, agency: Agency, *, title: str, actor: Actor) -> Post:
    """Give `person` a post."""
    post = Post(person=person, agency=agency, title=title)
    session.add(post)
    session.flush()
    audit.record(session, actor, "person_appointed", object_kind="post", object_id=post.id, agency_id=agency.id)
    return post


def person(session: Session, person_id: UUID) -> Person:
    """Return a person. Raises NotFound."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound(_l("There is no such person."))
    return found


def agency_names(session: Session, agency_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the name of each of the agencies."""
    rows = session.execute(select(Agency.id, Agency.name).where(Agency.id.in_(agency_ids)))
    return dict(rows.tuples().all())


def agency(session: Session, agency_id: UUID) -> Agency:
    """Return an agency. Raises NotFound."""
    found = session.get(Agency, agency_id)
    if found is None:
        raise NotFound(_l("There is no such agency."))
    return found
