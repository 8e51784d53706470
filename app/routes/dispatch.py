"""Issued papers at their recipients: planned on the draft, sent at issue, and what becomes of them there."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.registry import scope
from app.registry.models import Agency, Person
from app.routes import people
from app.routes.dispatch_models import Dispatch, DispatchEvent, DispatchState
from app.routes.holding import LOOK_AGAIN, record
from app.routes.models import Route, RouteState

DELIVER_TASK: Final = "routes.deliver"
# How long a link works for somebody outside.
LINK_LIFE: Final = timedelta(days=30)
MOST: Final = 200
LONGEST_NAME: Final = 160
OPENED: Final = "opened"
REVOKED: Final = "revoked"
_NO_DISPATCH: Final = _l("There is no such document in your agency's inbox.")
_ORDER: Final = list(DispatchState)


def add_agency(session: Session, route: Route, agency_id: UUID) -> None:
    """Plan to send the papers of a draft to an agency; twice changes nothing."""
    agency = session.get(Agency, agency_id)
    if agency is None or agency.merged_into_id is not None:
        raise Invalid(_l("There is no such agency."), _l("Search for another agency."))
    _add(session, route, {"agency_id": agency.id}, ["route_id", "agency_id"])


def add_address(session: Session, route: Route, *, name: str, email: str) -> None:
    """Plan to send a link to somebody outside the city; twice changes nothing. Raises Invalid for no address."""
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Invalid(_l("Enter an e-mail address, such as lan@example.com.")) from error
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid(_l("Enter the recipient’s name, up to 160 characters."))
    _add(session, route, {"name": " ".join(name.split()), "email": address}, ["route_id", "email"])


def remove(session: Session, route: Route, dispatch_id: UUID) -> None:
    """Take a recipient off a draft."""
    found = session.get(Dispatch, dispatch_id)
    if found is not None and found.route_id == route.id and found.state == DispatchState.PLANNED:
        session.delete(found)
        session.flush()


def of_route(session: Session, route: Route) -> list[Dispatch]:
    """Return the recipients of a route, agencies first, by name."""
    query = (
        select(Dispatch)
        .outerjoin(Agency, Agency.id == Dispatch.agency_id)
        .where(Dispatch.route_id == route.id)
        .order_by(Dispatch.agency_id.is_(None), Agency.search_name, Dispatch.name)
    )
    return list(session.scalars(query).unique().all())


def copy(session: Session, source: Route, target: Route) -> None:
    """Plan the recipients of one route for another."""
    for one in of_route(session, source):
        session.add(Dispatch(route_id=target.id, agency_id=one.agency_id, name=one.name, email=one.email))
    session.flush()


def send(session: Session, route: Route, *, now: datetime) -> None:
    """Send the issued papers to every recipient; letters and links follow by a job each."""
    for one in of_route(session, route):
        one.state, one.sent_at = DispatchState.SENT, now
        _note(session, one, DispatchState.SENT, None, now)
        enqueue(session, DELIVER_TASK, {"dispatch_id": str(one.id)})
    session.flush()


def arrived(session: Session, dispatch_id: UUID, *, now: datetime) -> Dispatch | None:
    """Note that a sent paper lies at its recipient and return it, locked; None if it did so before."""
    moved = session.execute(
        update(Dispatch)
        .where(Dispatch.id == dispatch_id, Dispatch.state == DispatchState.SENT)
        .values(state=DispatchState.ARRIVED)
        .returning(Dispatch.id)
    ).scalar_one_or_none()
    if moved is None:
        return None
    found = session.get_one(Dispatch, dispatch_id, populate_existing=True)
    _note(session, found, DispatchState.ARRIVED, None, now)
    return found


def find(session: Session, actor: Actor, dispatch_id: UUID, *, for_change: bool = False) -> Dispatch:
    """Return a paper in an inbox of the actor's agencies, or one that was assigned to them. Raises NotFound."""
    found = session.get(Dispatch, dispatch_id)
    is_theirs = (
        found is not None
        and found.agency_id is not None
        and found.state != DispatchState.PLANNED
        and (
            scope.covers(session, actor, Permission.FOLLOW_ROUTES, found.agency_id)
            or (actor.person_id is not None and found.assignee_id == actor.person_id)
        )
    )
    if found is None or not is_theirs:
        raise NotFound(_NO_DISPATCH)
    if for_change:
        session.refresh(found, with_for_update={"of": Dispatch})
    return found


def opened(session: Session, actor: Actor, found: Dispatch, *, now: datetime) -> None:
    """Note that the actor opened a paper for the first time; again changes nothing."""
    row = {"dispatch_id": found.id, "kind": OPENED, "person_id": actor.person_id, "happened_at": now}
    session.execute(insert(DispatchEvent).values(row).on_conflict_do_nothing())


def receive(session: Session, actor: Actor, dispatch_id: UUID, *, now: datetime) -> Dispatch:
    """Acknowledge a paper for the agency: the receipt that the sender sees. Twice changes nothing."""
    found = find(session, actor, dispatch_id, for_change=True)
    if _ORDER.index(DispatchState(found.state)) < _ORDER.index(DispatchState.RECEIVED):
        _move(session, actor, found, DispatchState.RECEIVED, now=now)
    return found


def assign(session: Session, actor: Actor, dispatch_id: UUID, *, person_id: UUID, now: datetime) -> Dispatch:
    """Give a paper to an official of the receiving agency. Raises Invalid for anybody else."""
    found = find(session, actor, dispatch_id, for_change=True)
    if found.assignee_id == person_id and found.state == DispatchState.ASSIGNED:
        return found
    if found.state == DispatchState.DONE:
        raise Conflict(_l("This document is dealt with already."), LOOK_AGAIN)
    person = session.scalar(
        select(Person).where(
            Person.id == person_id, people.can(Permission.FOLLOW_ROUTES), people.serves(found.agency_id)
        )
    )
    if person is None:
        raise Invalid(_l("This person is not an official of your agency."), _l("Choose somebody of the list."))
    receive(session, actor, dispatch_id, now=now)
    found.assignee_id = person.id
    _move(session, actor, found, DispatchState.ASSIGNED, now=now)
    return found


def finish(session: Session, actor: Actor, dispatch_id: UUID, *, now: datetime) -> Dispatch:
    """Note that a paper is dealt with. Twice changes nothing."""
    found = find(session, actor, dispatch_id, for_change=True)
    if found.state == DispatchState.DONE:
        return found
    receive(session, actor, dispatch_id, now=now)
    _move(session, actor, found, DispatchState.DONE, now=now)
    return found


def new_link(session: Session, found: Dispatch, *, now: datetime) -> str:
    """Make the secret of a link for somebody outside and return it (43 characters, 256 random bits), not stored.

    The link before it works no more.
    """
    token = secrets.token_urlsafe(32)
    found.token_sha256, found.expires_at, found.revoked_at = digest(token), now + LINK_LIFE, None
    session.flush()
    return token


def renew_link(session: Session, actor: Actor, route: Route, dispatch_id: UUID, *, now: datetime) -> None:
    """Have a new link sent to somebody outside; the one before ends now."""
    found = _outside(session, actor, route, dispatch_id)
    found.state, found.revoked_at, found.token_sha256 = DispatchState.SENT, None, None
    _note(session, found, DispatchState.SENT, actor.person_id, now)
    enqueue(session, DELIVER_TASK, {"dispatch_id": str(found.id)})
    record(session, actor, "dispatch_link_renewed", route, dispatch_id=str(found.id))


def revoke_link(session: Session, actor: Actor, route: Route, dispatch_id: UUID, *, now: datetime) -> None:
    """End the link of somebody outside at once; twice changes nothing."""
    found = _outside(session, actor, route, dispatch_id)
    if found.revoked_at is None:
        found.revoked_at = now
        _note(session, found, REVOKED, actor.person_id, now)
        record(session, actor, "dispatch_link_revoked", route, dispatch_id=str(found.id))


def by_token(session: Session, token: str, *, now: datetime) -> Dispatch:
    """Return what a link shows. Raises NotFound, the same for a link that never was, ended or was revoked."""
    query = select(Dispatch).where(Dispatch.token_sha256 == digest(token), Dispatch.revoked_at.is_(None))
    found = session.scalar(query)
    if found is None or found.expires_at is None or now >= found.expires_at:
        raise NotFound(
            _l("This link does not work any more, or it is not complete."),
            _l("Ask the agency that sent the document for a new link."),
        )
    return found


def count_opening(session: Session, found: Dispatch, *, now: datetime) -> None:
    """Count that the link was opened; the first time counts as received."""
    session.execute(update(Dispatch).where(Dispatch.id == found.id).values(openings=Dispatch.openings + 1))
    moved = session.execute(
        update(Dispatch)
        .where(Dispatch.id == found.id, Dispatch.state.in_((DispatchState.SENT, DispatchState.ARRIVED)))
        .values(state=DispatchState.RECEIVED)
        .returning(Dispatch.id)
    ).scalar_one_or_none()
    if moved is not None:
        _note(session, found, DispatchState.RECEIVED, None, now)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def is_sender(session: Session, actor: Actor, route: Route) -> bool:
    """Say whether the actor answers for what the route sends: its drafter, or a clerk of its agency."""
    return actor.person_id == route.drafter_id or scope.covers(
        session, actor, Permission.ISSUE_DOCUMENTS, route.agency_id
    )


def _outside(session: Session, actor: Actor, route: Route, dispatch_id: UUID) -> Dispatch:
    found = session.scalar(
        select(Dispatch)
        .where(Dispatch.id == dispatch_id, Dispatch.route_id == route.id, Dispatch.email.is_not(None))
        .with_for_update(of=Dispatch)
    )
    if found is None or route.state != RouteState.ISSUED or not is_sender(session, actor, route):
        raise NotFound(_l("There is no such recipient."))
    return found


def _add(session: Session, route: Route, values: dict[str, object], key: list[str]) -> None:
    if len(of_route(session, route)) >= MOST:
        raise Invalid(_l("A route may have up to 200 recipients."))
    row = {"route_id": route.id, "state": DispatchState.PLANNED, **values}
    session.execute(insert(Dispatch).values(row).on_conflict_do_nothing(index_elements=key))


def _move(session: Session, actor: Actor, found: Dispatch, state: DispatchState, *, now: datetime) -> None:
    found.state = state
    _note(session, found, state, actor.person_id, now)
    session.flush()
    audit.record(
        session,
        actor,
        "dispatch_moved",
        object_kind="dispatch",
        object_id=found.id,
        agency_id=found.agency_id,
        state=state,
    )


def _note(session: Session, found: Dispatch, kind: str, person_id: UUID | None, now: datetime) -> None:
    session.add(DispatchEvent(dispatch_id=found.id, kind=kind, person_id=person_id, happened_at=now))
    session.flush()
    session.expire(found, ["events"])
