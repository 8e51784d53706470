"""Handing one's turns over while absent: by oneself, or by the administrator of one's agency.

What was handed over is not handed on: a deputy acts for the absent person, and nobody acts for the deputy in that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import CITY_ZONE
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Person, Post
from app.routes import people
from app.routes.models import Act, Delegation

LOOK_TASK: Final = "routes.look_around"
LONGEST: Final = timedelta(days=366)
LONGEST_REASON: Final = 200


@dataclass(frozen=True)
class Handing:
    """What is handed over: to whom, from one day to another (both included), which acts, and why."""

    deputy_id: UUID
    first: date
    last: date
    acts: frozenset[Act]
    reason: str


def hand_over(session: Session, actor: Actor, person_id: UUID, handing: Handing, *, now: datetime) -> Delegation:
    """Hand the turns of a person over. Asking the same again returns what there is.

    Raises NotFound unless the actor is that person or administers their agency, Invalid for days or a deputy that do
    not fit.
    """
    person = find_absent(session, actor, person_id)
    first_day, last_day = _check(session, person, handing, now=now)
    wanted = {
        "person_id": person.id,
        "deputy_id": handing.deputy_id,
        "first_day": first_day,
        "last_day": last_day,
        "initials": Act.INITIAL in handing.acts,
        "formats": Act.FORMAT in handing.acts,
        "signs": Act.SIGN in handing.acts,
    }
    there = session.scalar(select(Delegation).filter_by(**wanted).where(Delegation.ended_at.is_(None)))
    if there is not None:
        return there
    if actor.account_id is None:
        raise Conflict(_l("Turns are handed over by a person."))
    made = Delegation(**wanted, reason=handing.reason.strip(), made_by=actor.account_id, made_at=now)
    session.add(made)
    session.flush()
    _record(session, actor, "turns_handed_over", made)
    enqueue(session, LOOK_TASK, {}, queueing_lock=LOOK_TASK)
    return made


def take_back(session: Session, actor: Actor, delegation_id: UUID, *, now: datetime) -> Delegation:
    """End a handing-over at once; twice changes nothing."""
    found = session.get(Delegation, delegation_id)
    if found is None:
        raise NotFound(_l("There is no such entry."))
    find_absent(session, actor, found.person_id)
    ended = session.execute(
        update(Delegation)
        .where(Delegation.id == found.id, Delegation.ended_at.is_(None))
        .values(ended_at=now)
        .returning(Delegation.id)
    ).scalar_one_or_none()
    session.refresh(found)
    if ended is not None:
        _record(session, actor, "turns_taken_back", found)
    return found


def shown_to(session: Session, actor: Actor, *, now: datetime) -> Sequence[Delegation]:
    """Return what runs or is to come: the actor's own, what was handed to them, and what they administer."""
    managed = exists().where(
        Post.person_id == Delegation.person_id,
        Post.ended_at.is_(None),
        scope.within(actor, Permission.MANAGE_ACCOUNTS, Post.agency_id),
    )
    query = (
        select(Delegation)
        .where(
            Delegation.ended_at.is_(None),
            Delegation.last_day > now,
            or_(Delegation.person_id == actor.person_id, Delegation.deputy_id == actor.person_id, managed),
        )
        .order_by(Delegation.first_day, Delegation.id)
    )
    return session.scalars(query).unique().all()


def may_manage(session: Session, actor: Actor, person: Person) -> bool:
    """Say whether the actor is the person or administers an agency in which they hold a post."""
    if actor.person_id == person.id:
        return True
    return any(
        post.ended_at is None and scope.covers(session, actor, Permission.MANAGE_ACCOUNTS, post.agency_id)
        for post in person.posts
    )


def find_absent(session: Session, actor: Actor, person_id: UUID) -> Person:
    """Return a person whose turns the actor may hand over. Raises NotFound for anybody else."""
    person = registry.person(session, person_id)
    if not may_manage(session, actor, person):
        raise NotFound(_l("There is no such person."))
    return person


def _check(session: Session, person: Person, handing: Handing, *, now: datetime) -> tuple[datetime, datetime]:
    if not handing.acts:
        raise Invalid(_l("Choose what is handed over."))
    if not handing.reason.strip():
        raise Invalid(_l("Say why, such as a journey or leave."))
    if handing.last < handing.first or handing.last - handing.first > LONGEST:
        raise Invalid(_l("The last day lies before the first, or more than a year after it."))
    first_day = datetime.combine(handing.first, time(), CITY_ZONE)
    last_day = datetime.combine(handing.last + timedelta(days=1), time(), CITY_ZONE)
    if last_day <= now:
        raise Invalid(_l("The last day is over already."))
    if handing.deputy_id == person.id:
        raise Invalid(_l("Choose somebody else than the person who is away."))
    for act in sorted(handing.acts):
        if not people.is_able(session, handing.deputy_id, act):
            raise Invalid(_l("The deputy’s account lacks the right for this."), _l("Choose another official."))
    return first_day, last_day


def _record(session: Session, actor: Actor, act: str, made: Delegation) -> None:
    post = made.person.current_post
    audit.record(
        session,
        actor,
        act,
        object_kind="delegation",
        object_id=made.id,
        agency_id=post.agency_id if post is not None else None,
        person_id=str(made.person_id),
        deputy_id=str(made.deputy_id),
    )
