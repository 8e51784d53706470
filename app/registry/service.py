"""Entering people, agencies and posts into the registry, and finding them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from app.audit import service as audit
from app.core.errors import Conflict, NotFound
from app.core.permissions import Actor, Permission
from app.registry import scope
from app.registry.models import Agency, Person, Post
from app.registry.search import fold, pattern

_WITH_POSTS: Final = (joinedload(Person.posts),)


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
    found = session.get(Person, person_id, options=_WITH_POSTS)
    if found is None:
        raise NotFound(_l("There is no such person."))
    return found


def agency_names(session: Session, agency_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the name of each of the agencies."""
    rows = session.execute(select(Agency.id, Agency.name).where(Agency.id.in_(agency_ids)))
    return {row.id: row.name for row in rows}


def agency(session: Session, agency_id: UUID) -> Agency:
    """Return an agency. Raises NotFound."""
    found = session.get(Agency, agency_id)
    if found is None:
        raise NotFound(_l("There is no such agency."))
    return found


def search_posts(session: Session, actor: Actor, permission: Permission, text: str) -> Sequence[Post]:
    """Return posts that are held, by name of the person, in the actor's scope; at most 50."""
    query = (
        select(Post)
        .join(Person, Person.id == Post.person_id)
        .where(
            Post.ended_at.is_(None),
            Person.search_name.like(pattern(text)),
            scope.within(actor, permission, Post.agency_id),
        )
        .order_by(Person.search_name)
        .limit(50)
        .options(joinedload(Post.person))
    )
    return session.scalars(query).unique().all()


def find_post(session: Session, actor: Actor, permission: Permission, post_id: UUID) -> Post:
    """Return a post in an agency over which the actor holds `permission`. Raises NotFound."""
    found = session.get(Post, post_id)
    if found is None or not scope.covers(session, actor, permission, found.agency_id):
        raise NotFound(_l("There is no such post."))
    return found


def end_post(session: Session, post: Post, *, actor: Actor, now: datetime) -> None:
    """End a post; ending it twice changes nothing."""
    ended = session.execute(
        update(Post).where(Post.id == post.id, Post.ended_at.is_(None)).values(ended_at=now).returning(Post.id)
    ).scalar_one_or_none()
    session.refresh(post)
    if ended is not None:
        audit.record(session, actor, "post_ended", object_kind="post", object_id=post.id, agency_id=post.agency_id)


def merge_agency(session: Session, agency: Agency, into: Agency, *, actor: Actor, now: datetime) -> int:
    """Merge `agency` into another: its people get the same posts there; return how many. Twice changes nothing.

    Raises Conflict if it would be merged into itself, into what lies below it, or into what is merged itself.
    """
    if into.merged_into_id is not None or into.path.startswith(agency.path):
        raise Conflict(_l("An agency cannot be merged into this one."), _l("Choose another agency."))
    merged = session.execute(
        update(Agency)
        .where(Agency.id == agency.id, Agency.merged_into_id.is_(None))
        .values(merged_into_id=into.id)
        .returning(Agency.id)
    ).scalar_one_or_none()
    session.refresh(agency)
    if merged is None:
        return 0
    held = session.scalars(select(Post).where(Post.agency_id == agency.id, Post.ended_at.is_(None))).all()
    for post in held:
        post.ended_at = now
        session.add(Post(person_id=post.person_id, agency_id=into.id, title=post.title, started_at=now))
    session.flush()
    audit.record(
        session,
        actor,
        "agency_merged",
        object_kind="agency",
        object_id=agency.id,
        agency_id=agency.id,
        into=str(into.id),
        posts=len(held),
    )
    return len(held)
