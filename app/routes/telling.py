"""Queueing the letters of a route, each to each person once, in the transaction of a job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.models import Account, RoleGrant
from app.core.i18n import local
from app.core.permissions import ROLE_PERMISSIONS, Permission
from app.core.settings import Settings
from app.notices import service as notices
from app.registry.models import Agency, Person
from app.routes import dispatch, letters, people
from app.routes.letters import Reader, Text
from app.routes.models import Route, RouteLetter, RouteState, RouteStep, StepState

# Nobody is reminded before they are in the office.
OPENING_HOUR: Final = 7


def tell_turns(session: Session, settings: Settings, route: Route, *, now: datetime) -> int:
    """Tell everyone whose turn has come, deputies too; return how many letters are new."""
    if route.state != RouteState.RUNNING:
        return 0
    told = 0
    for step in route.open_steps:
        occasion = f"turn:{step.opened_at.isoformat() if step.opened_at else ''}"
        for person in people.holders(session, step):
            text = letters.turn(settings, step, absent=None)
            told += _once(session, settings, route, step.id, person, occasion, text, now)
        for delegation in people.deputies(session, step, now=now):
            text = letters.turn(settings, step, absent=delegation.person.full_name)
            told += _once(session, settings, route, step.id, delegation.deputy, occasion, text, now)
    return told


def tell_news(session: Session, settings: Settings, route: Route, *, now: datetime) -> None:
    """Tell the drafter what became of the route, and the clerks of the agency what waits for them."""
    if route.state not in (RouteState.DECLINED, RouteState.SIGNED, RouteState.ISSUED):
        return
    occasion = f"{route.state}:{route.version}"
    _once(session, settings, route, route.id, route.drafter, occasion, letters.news(settings, route), now)
    if route.state == RouteState.SIGNED:
        text = letters.to_issue(settings, route)
        for clerk in clerks_of(session, route.agency):
            if clerk.id != route.drafter_id:
                _once(session, settings, route, route.id, clerk, occasion, text, now)


def look_around(session: Session, settings: Settings, *, now: datetime) -> int:
    """Tell those who came to a turn since (a new holder, a deputy) and remind of what is due; return how many.

    A reminder goes out on the day a step is due and once on each day after it.
    """
    running = select(Route).where(Route.state == RouteState.RUNNING).order_by(Route.id)
    told = sum(tell_turns(session, settings, route, now=now) for route in session.scalars(running).unique())
    if local(now).hour < OPENING_HOUR:
        return told
    due = (
        select(RouteStep)
        .join(Route, Route.id == RouteStep.route_id)
        .where(
            Route.state == RouteState.RUNNING,
            RouteStep.state == StepState.OPEN,
            RouteStep.due_at <= now + timedelta(days=1),
        )
        .order_by(RouteStep.due_at)
    )
    return told + sum(_remind(session, settings, step, now=now) for step in session.scalars(due).unique())


def deliver(session: Session, settings: Settings, dispatch_id: UUID, *, now: datetime) -> None:
    """Put an issued paper before its recipient: a letter to the agency's clerks, or a link to somebody outside."""
    found = dispatch.arrived(session, dispatch_id, now=now)
    if found is None:
        return
    if found.agency is not None:
        text = letters.arrived(settings, found)
        for clerk in clerks_of(session, found.agency):
            _once(session, settings, found.route, found.id, clerk, "arrived", text, now)
        return
    token = dispatch.new_link(session, found, now=now)
    reader = Reader(found.name or "", found.email or "")
    message_id = f"{found.id}.{now.timestamp():.0f}"
    notices.queue_notice(
        session,
        letters.message(settings, reader, letters.link(settings, found, token), message_id=message_id, now=now),
        kind="document_link",
        subject_kind="dispatch",
        subject_id=found.id,
        agency_id=found.route.agency_id,
    )


def clerks_of(session: Session, agency: Agency) -> Sequence[Person]:
    """Return those who number and seal for the agency; without any, those who hold a post in it and follow routes."""
    for permission in (Permission.ISSUE_DOCUMENTS, Permission.FOLLOW_ROUTES):
        roles = [role for role, may in ROLE_PERMISSIONS.items() if permission in may]
        query = (
            select(Person)
            .join(Account, Account.person_id == Person.id)
            .join(RoleGrant, RoleGrant.account_id == Account.id)
            .where(RoleGrant.role.in_(roles), Account.disabled_at.is_(None), people.serves(agency.id))
            .order_by(Person.search_name)
        )
        found = session.scalars(query).unique().all()
        if found:
            return found
    return []


def _remind(session: Session, settings: Settings, step: RouteStep, *, now: datetime) -> int:
    text = letters.reminder(settings, step, overdue=step.due_at is not None and now >= step.due_at)
    occasion = f"due:{local(now).date()}"
    readers = [*people.holders(session, step), *(one.deputy for one in people.deputies(session, step, now=now))]
    return sum(_once(session, settings, step.route, step.id, person, occasion, text, now) for person in readers)


def _once(
    session: Session,
    settings: Settings,
    route: Route,
    subject_id: UUID,
    person: Person,
    occasion: str,
    text: Text,
    now: datetime,
) -> bool:
    row = {"subject_id": subject_id, "person_id": person.id, "occasion": occasion, "queued_at": now}
    noted = session.execute(
        insert(RouteLetter).values(row).on_conflict_do_nothing().returning(RouteLetter.occasion)
    ).scalar_one_or_none()
    if noted is None or not person.email:
        return False
    # One subject for each reader: a newer letter takes the place of an unsent one to the same person, to nobody else.
    about = uuid5(subject_id, person.id.hex)
    reader = Reader(person.full_name, person.email)
    notices.queue_notice(
        session,
        letters.message(settings, reader, text, message_id=f"{about}.{now.timestamp():.0f}", now=now),
        kind="route",
        subject_kind="route",
        subject_id=about,
        agency_id=route.agency_id,
    )
    return True
