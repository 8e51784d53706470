"""Visitors without an invitation: registered at the desk, answered by their host, let in with a badge, let out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import local
from app.core.permissions import Actor, Permission
from app.core.settings import Settings
from app.meetings.entered import one_line
from app.notices import service as notices
from app.reception import letters, places
from app.reception.models import VisitState, WalkIn
from app.registry import numbers
from app.registry import service as registry
from app.registry.models import Person
from app.registry.search import fold

# Digits of the code on a badge. It never begins with 79, as passes do.
BADGE_DIGITS: Final = 20
ANSWERS: Final = (VisitState.APPROVED, VisitState.REFUSED, VisitState.LATER)
_LONGEST: Final = 120
_OPEN: Final = (VisitState.WAITING, VisitState.LATER, VisitState.APPROVED, VisitState.REFUSED)


@dataclass(frozen=True)
class NewVisit:
    """What the desk enters; `number` is the citizen number of a card, or empty."""

    name: str
    organisation: str
    purpose: str
    host_account_id: UUID
    number: str = ""


def register(
    session: Session,
    settings: Settings,
    actor: Actor,
    building_id: UUID,
    new: NewVisit,
    *,
    visit_id: UUID,
    now: datetime,
) -> WalkIn:
    """Register a visitor and tell the host at once. The same `visit_id` again returns the first.

    Raises NotFound for a building or host outside the actor's scope, Invalid for an empty name.
    """
    building = places.find(session, actor, Permission.RECEIVE_VISITORS, building_id)
    known = session.get(WalkIn, visit_id)
    if known is not None and known.building_id == building.id:
        return known
    name = one_line(new.name)[:_LONGEST]
    if not name:
        raise Invalid(_l("Enter the visitor’s name."))
    host = find_host(session, actor, new.host_account_id)
    number = numbers.read_number(new.number)
    visit = WalkIn(
        id=visit_id,
        building_id=building.id,
        name=name,
        search_name=fold(name),
        organisation=one_line(new.organisation)[:_LONGEST],
        purpose=one_line(new.purpose)[:_LONGEST],
        host_account_id=host.id,
        state=VisitState.WAITING,
        number_hash=numbers.index_of(settings, number) if number else None,
        created_by=actor.account_id,
        created_at=now,
    )
    session.add(visit)
    session.flush()
    _tell_host(session, settings, visit, now)
    _record(session, actor, "visitor_registered", visit)
    return visit


def find_host(session: Session, actor: Actor, account_id: UUID) -> Account:
    """Return the account of somebody with a post in the actor's scope. Raises NotFound."""
    account = session.get(Account, account_id)
    person = session.get(Person, account.person_id) if account is not None and account.person_id else None
    if account is None or account.disabled_at is not None or person is None or person.current_post is None:
        raise NotFound(_l("Nobody of this name receives visitors here."))
    registry.find_post(session, actor, Permission.RECEIVE_VISITORS, person.current_post.id)
    return account


def search_hosts(session: Session, actor: Actor, text: str) -> Sequence[tuple[Account, str]]:
    """Return up to 50 people who may be visited, each with post and agency."""
    posts = registry.search_posts(session, actor, Permission.RECEIVE_VISITORS, text) if fold(text) else []
    where = {post.person_id: f"{post.title}, {post.agency.name}" for post in posts}
    query = select(Account).where(Account.person_id.in_(where), Account.disabled_at.is_(None)).order_by(Account.label)
    return [(account, where[account.person_id]) for account in session.scalars(query) if account.person_id in where]


def of_today(session: Session, actor: Actor, building_id: UUID, *, now: datetime) -> Sequence[WalkIn]:
    """Return the visitors registered today and those still inside, newest first."""
    building = places.find(session, actor, Permission.RECEIVE_VISITORS, building_id)
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    since = (WalkIn.created_at >= midnight) | (WalkIn.state == VisitState.INSIDE)
    query = select(WalkIn).where(WalkIn.building_id == building.id, since).order_by(WalkIn.created_at.desc())
    return session.scalars(query).unique().all()


def at_desk(session: Session, actor: Actor, visit_id: UUID) -> WalkIn:
    """Return a visitor of a building that the actor keeps. Raises NotFound."""
    visit = session.get(WalkIn, visit_id)
    if visit is None:
        raise NotFound(_l("There is no such visitor."))
    places.find(session, actor, Permission.RECEIVE_VISITORS, visit.building_id)
    return visit


def of_host(session: Session, actor: Actor, visit_id: UUID) -> WalkIn:
    """Return a visitor who came to see the actor. Raises NotFound for anybody else's."""
    visit = session.get(WalkIn, visit_id)
    if visit is None or actor.account_id is None or visit.host_account_id != actor.account_id:
        raise NotFound(_l("There is no such visitor."))
    return visit


def waiting_for(session: Session, actor: Actor) -> Sequence[WalkIn]:
    """Return the visitors who wait for the actor's answer, oldest first."""
    query = select(WalkIn).where(WalkIn.host_account_id == actor.account_id, WalkIn.state == VisitState.WAITING)
    return session.scalars(query.order_by(WalkIn.created_at)).unique().all()


def answer(session: Session, actor: Actor, visit_id: UUID, to: VisitState, *, note: str = "", now: datetime) -> WalkIn:
    """Answer for one's own visitor; the same answer again changes nothing, another one counts until they came in.

    Raises NotFound for another host's visitor, Conflict once they are inside.
    """
    visit = of_host(session, actor, visit_id)
    if to not in ANSWERS:
        raise Invalid(_l("Choose an answer."))
    if visit.state == to:
        return visit
    values = {"state": to, "note": one_line(note)[:_LONGEST], "answered_at": now}
    _move(session, visit, _OPEN, values)
    _record(session, actor, "visitor_answered", visit, answer=to.value)
    return visit


def let_in(session: Session, actor: Actor, visit_id: UUID, *, until: datetime, now: datetime) -> None:
    """Let a visitor in whom the host receives; again, nothing changes. Raises Conflict before the host agrees."""
    visit = at_desk(session, actor, visit_id)
    if visit.state == VisitState.INSIDE:
        return
    _move(session, visit, (VisitState.APPROVED,), {"state": VisitState.INSIDE, "came_at": now, "until": until})
    _record(session, actor, "visitor_came_in", visit)


def new_badge(session: Session, actor: Actor, visit_id: UUID) -> tuple[WalkIn, str]:
    """Return the digits of a new badge of a visitor inside; an earlier badge ends. Raises Conflict for anybody else."""
    visit = at_desk(session, actor, visit_id)
    digits = _new_digits()
    _move(session, visit, (VisitState.INSIDE,), {"badge_sha256": _sha256(digits)})
    return visit, digits


def let_out(session: Session, actor: Actor, visit_id: UUID, *, now: datetime) -> None:
    """Write down that a visitor has left; doing it again changes nothing."""
    visit = at_desk(session, actor, visit_id)
    if visit.state == VisitState.LEFT:
        return
    _move(session, visit, (VisitState.INSIDE,), {"state": VisitState.LEFT, "left_at": now})
    _record(session, actor, "visitor_left", visit)


def by_badge(session: Session, actor: Actor, digits: str) -> WalkIn:
    """Return the visitor who carries this badge. Raises NotFound."""
    visit = session.scalar(select(WalkIn).where(WalkIn.badge_sha256 == _sha256(digits.strip())))
    if visit is None:
        raise NotFound(_l("No visitor has this badge."))
    return at_desk(session, actor, visit.id)


def _move(session: Session, visit: WalkIn, from_states: Sequence[VisitState], values: dict[str, object]) -> None:
    moved = session.execute(
        update(WalkIn).where(WalkIn.id == visit.id, WalkIn.state.in_(from_states)).values(values).returning(WalkIn.id)
    ).first()
    if moved is None:
        raise Conflict(_l("This cannot be done any more: somebody acted first, or the host has not agreed."))
    session.refresh(visit)


def _tell_host(session: Session, settings: Settings, visit: WalkIn, now: datetime) -> None:
    person = session.get(Person, visit.host.person_id) if visit.host.person_id else None
    # Without an address the host finds the visitor on their first page.
    if person is not None and person.email:
        message = letters.arrival(settings, visit, person, now=now)
        notices.queue_notice(
            session,
            message,
            kind="visitor",
            subject_kind="walk_in",
            subject_id=visit.id,
            agency_id=visit.building.keeper_id,
        )


def _new_digits() -> str:
    return "5" + "".join(secrets.choice("0123456789") for _ in range(BADGE_DIGITS - 1))


def _sha256(digits: str) -> bytes:
    return hashlib.sha256(digits.encode()).digest()


def _record(session: Session, actor: Actor, act: str, visit: WalkIn, **facts: str) -> None:
    audit.record(
        session, actor, act, object_kind="walk_in", object_id=visit.id, agency_id=visit.building.keeper_id, **facts
    )
