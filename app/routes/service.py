"""The acts on a route that runs: start, initial, check, sign, decline, withdraw, take up again, issue.

What signing and the register of documents ask here: `turn_of`, `signed`, `may_sign_freely`, `planned_fields`,
`register_starter`, `awaiting_issue`, `find_awaiting`, `issued`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, case, exists, select, update
from sqlalchemy.orm import Session, object_session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.documents.models import Document, DocumentVersion
from app.registry import scope
from app.routes import dispatch, people, rules
from app.routes.holding import (
    LOOK_AGAIN,
    NO_ROUTE,
    add_act,
    due,
    hold,
    lock,
    record,
    refuse_other_than_drafter,
    refuse_stale,
    refuse_unless,
    take_duty,
)
from app.routes.models import Act, Duty, Route, RouteAct, RouteDocument, RouteDuty, RouteState, RouteStep, StepState

TURNS_TASK: Final = "routes.tell_turns"
NEWS_TASK: Final = "routes.tell_news"
SEAL_FIELD: Final = "dau_coquan"
_FIELDS: Final = {Act.INITIAL: "ky_nhay", Act.SIGN: "ky_lanhdao"}
_ON_ROUTE_OR_WITHDRAWN: Final = select(
    exists().where(RouteDocument.document_id == bindparam("document_id"))
    | exists().where(Document.id == bindparam("document_id"), Document.withdrawn_at.is_not(None))
)
_NOT_YOUR_TURN: Final = _l("It is not your turn on this route any more. Nothing was changed.")


@dataclass(frozen=True)
class Turn:
    """It is this person's turn to put a signature into a paper."""

    route_id: UUID
    step_id: UUID
    # INITIAL or SIGN.
    act: Act
    field_name: str
    # The fields of the route's other heads.
    other_heads: tuple[str, ...]
    # The whole envelope, the main document first.
    document_ids: tuple[UUID, ...]
    # The full name of who handed the turn over while absent.
    on_behalf_of: str | None


@dataclass(frozen=True)
class PlannedField:
    """A signature to come: the name of its field, and whose it will be as far as is known now."""

    name: str
    act: Act
    person: str | None
    post: str | None


# Called when a route starts, in its transaction: makes the fields in every paper before the first signature.
Starter = Callable[[Session, Actor, Route, datetime], None]
_starters: Final[list[Starter]] = []


def register_starter(starter: Starter) -> None:
    """Let a capability above prepare the papers of a route that starts; doing it twice changes nothing."""
    if starter not in _starters:
        _starters.append(starter)


def planned_fields(route: Route) -> Sequence[PlannedField]:
    """Return the signatures of initials and heads, in the order of the route; the seal's is `SEAL_FIELD`."""
    session = object_session(route)
    fields = []
    for step in route.steps:
        if step.field_name is None:
            continue
        held_by = people.holders(session, step) if session is not None else []
        person = held_by[0] if held_by else None
        post = person.current_post if person is not None and step.post_title is None else None
        title = step.post_title or (post.title if post else None)
        fields.append(PlannedField(step.field_name, Act(step.act), person.full_name if person else None, title))
    return fields


def turn_of(session: Session, document_id: UUID, person_id: UUID, *, now: datetime) -> Turn | None:
    """Return the signature that the person may put into the paper now, their own turn before one they stand in for."""
    acted = exists().where(RouteAct.step_id == RouteStep.id, RouteAct.document_id == document_id)
    query = (
        select(RouteStep)
        .join(Route, Route.id == RouteStep.route_id)
        .join(RouteDocument, RouteDocument.route_id == Route.id)
        .where(
            RouteDocument.document_id == document_id,
            Route.state == RouteState.RUNNING,
            RouteStep.state == StepState.OPEN,
            RouteStep.field_name.is_not(None),
            ~acted,
            people.may_act(person_id, now=now),
        )
        .order_by(case((people.is_named(person_id), 0), else_=1), RouteStep.number)
        .limit(1)
    )
    step = session.scalar(query)
    standing = people.standing(session, step, person_id, now=now) if step is not None else None
    if step is None or step.field_name is None or standing is None:
        return None
    absent = standing.absent.full_name if standing.absent is not None else None
    others = tuple(
        one.field_name for one in step.route.steps if one.act == Act.SIGN and one.id != step.id and one.field_name
    )
    return Turn(step.route_id, step.id, Act(step.act), step.field_name, others, step.route.document_ids, absent)


def may_sign_freely(session: Session, document_id: UUID) -> bool:
    """Say whether a paper is on no route, so that whoever may see it may sign it without a turn."""
    return not session.scalar(_ON_ROUTE_OR_WITHDRAWN, {"document_id": document_id})


def start(session: Session, actor: Actor, route_id: UUID, *, route_version: int, now: datetime) -> Route:
    """Set a draft on its way: fields are made in every paper, and the first turn comes. Twice changes nothing.

    Raises Invalid with what the draft still lacks, Conflict if it changed since it was shown.
    """
    route = hold(session, actor, route_id)
    refuse_other_than_drafter(route, actor)
    if route.state == RouteState.RUNNING:
        return route
    refuse_unless(route, RouteState.DRAFT, why=_l("This route was started before."))
    refuse_stale(route, route_version)
    faults = rules.faults_of(session, route)
    if faults:
        raise Invalid(faults[0], _l("Change the route, then start it again."))
    _name_fields(route)
    session.flush()
    for starter in _starters:
        starter(session, actor, route, now)
    route.state, route.started_at = RouteState.RUNNING, now
    _open(session, route, route.groups[0], now=now)
    record(session, actor, "route_started", route, steps=len(route.steps), papers=len(route.papers))
    return route


def signed(
    session: Session, actor: Actor, turn: Turn, document: Document, version: DocumentVersion, *, now: datetime
) -> None:
    """Write down that the actor put the turn's signature into the paper, and open the next turn when all are there.

    In the signer's transaction, with the paper locked. Raises Conflict if the turn is over (declined, withdrawn, done
    by somebody else) or the actor has another duty on this route: then nothing of the signature stays either.
    """
    route = lock(session, turn.route_id)
    step, person_id = _open_step(session, route, turn.step_id, actor, now=now)
    is_signed = any(act.step_id == step.id and act.document_id == document.id for act in route.acts)
    if is_signed or document.id not in route.document_ids:
        raise Conflict(_NOT_YOUR_TURN, LOOK_AGAIN)
    duty = Duty(step.act)
    if duty is Duty.SIGN:
        rules.refuse_drafter_alone(route, step, person_id)
    take_duty(session, route, person_id, duty)
    add_act(
        session,
        route,
        step=step,
        document_id=document.id,
        version_id=version.id,
        person_id=person_id,
        duty=duty,
        now=now,
    )
    if has_acted_everywhere(route, step):
        _finish(session, actor, route, step, note=None, now=now)
    route.version += 1
    record(session, actor, "route_signed", route, step=step.number, duty=duty, document_id=str(document.id))


def format_checked(
    session: Session, actor: Actor, route_id: UUID, step_id: UUID, *, note: str, route_version: int, now: datetime
) -> Route:
    """Write down that the form of the envelope was checked and is right. Twice by the same person changes nothing."""
    route = hold(session, actor, route_id)
    if any(act.step_id == step_id and act.person_id == actor.person_id for act in route.acts):
        return route
    refuse_stale(route, route_version)
    step, person_id = _open_step(session, route, step_id, actor, now=now)
    if step.act != Act.FORMAT:
        raise Conflict(_NOT_YOUR_TURN, LOOK_AGAIN)
    take_duty(session, route, person_id, Duty.FORMAT)
    add_act(
        session, route, step=step, document_id=None, version_id=None, person_id=person_id, duty=Duty.FORMAT, now=now
    )
    _finish(session, actor, route, step, note=note.strip() or None, now=now)
    route.version += 1
    record(session, actor, "route_format_checked", route, step=step.number)
    return route


def decline(session: Session, actor: Actor, route_id: UUID, *, reason: str, route_version: int, now: datetime) -> Route:
    """Send the route back to its drafter: by whoever has a turn, or by the clerk before it is issued.

    Twice by the same person changes nothing. Raises Conflict if it is not the actor's to decline.
    """
    route = hold(session, actor, route_id)
    if not reason.strip():
        raise Invalid(_l("Say why, so that the drafter knows what to change."))
    by_me = any(one.state == StepState.DECLINED and one.done_by == actor.person_id for one in route.steps)
    if route.state == RouteState.DECLINED and route.version == route_version + 1 and by_me:
        return route
    refuse_stale(route, route_version)
    step = next((one for one in my_steps(session, route, actor, now=now)), None)
    if step is not None:
        step.state, step.note, step.done_by, step.done_at = StepState.DECLINED, reason.strip(), actor.person_id, now
    elif not may_issue(session, actor, route):
        raise Conflict(_NOT_YOUR_TURN, LOOK_AGAIN)
    _move(session, route, RouteState.DECLINED, reason=reason.strip())
    record(session, actor, "route_declined", route, step=step.number if step is not None else None)
    return route


def resume(session: Session, actor: Actor, route_id: UUID, *, route_version: int, now: datetime) -> Route:
    """Send a declined route back, unchanged, to who declined it. Only the drafter; twice changes nothing."""
    route = hold(session, actor, route_id)
    refuse_other_than_drafter(route, actor)
    if route.state in (RouteState.RUNNING, RouteState.SIGNED) and route.version == route_version + 1:
        return route
    refuse_unless(route, RouteState.DECLINED, why=_l("This route was not sent back to you."))
    refuse_stale(route, route_version)
    declined = [step for step in route.steps if step.state == StepState.DECLINED]
    for step in declined:
        step.done_by = step.done_at = None
    if declined:
        route.state, route.reason = RouteState.RUNNING, None
        _open(session, route, declined, now=now)
    else:
        _move(session, route, RouteState.SIGNED, reason=None)
    record(session, actor, "route_resumed", route)
    return route


def withdraw(
    session: Session, actor: Actor, route_id: UUID, *, reason: str, route_version: int, now: datetime
) -> Route:
    """Take a route back for good; its papers are not signed any more. Only the drafter; twice changes nothing."""
    route = hold(session, actor, route_id)
    refuse_other_than_drafter(route, actor)
    if route.state == RouteState.WITHDRAWN:
        return route
    refuse_stale(route, route_version)
    states = (RouteState.RUNNING, RouteState.DECLINED, RouteState.SIGNED)
    refuse_unless(route, *states, why=_l("This route cannot be withdrawn any more."))
    end_papers(session, route, now=now)
    route.ended_at = now
    _move(session, route, RouteState.WITHDRAWN, reason=reason.strip() or None)
    record(session, actor, "route_withdrawn", route)
    return route


def end_papers(session: Session, route: Route, *, now: datetime) -> None:
    """Note on every paper of the envelope that it is not signed any more."""
    session.execute(
        update(Document)
        .where(Document.id.in_(route.document_ids), Document.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def awaiting_issue(session: Session, actor: Actor) -> Sequence[Route]:
    """Return the routes that the actor may number and seal, those signed first before the others."""
    query = (
        select(Route)
        .where(Route.state == RouteState.SIGNED, scope.within(actor, Permission.ISSUE_DOCUMENTS, Route.agency_id))
        .order_by(Route.started_at, Route.id)
    )
    return session.scalars(query).unique().all()


def find_awaiting(session: Session, actor: Actor, route_id: UUID, *, for_change: bool = False) -> Route:
    """Return a route that the actor may number and seal now, locked with its papers if `for_change`.

    Raises NotFound for another agency's, Conflict if it does not wait for that or the actor had another part in it.
    """
    found = session.get(Route, route_id)
    if found is None or not scope.covers(session, actor, Permission.ISSUE_DOCUMENTS, found.agency_id):
        raise NotFound(NO_ROUTE)
    route = hold(session, actor, route_id) if for_change else found
    refuse_unless(route, RouteState.SIGNED, why=_l("This route does not wait for its number and seal."))
    other = select(RouteDuty.duty).where(RouteDuty.route_id == route.id, RouteDuty.person_id == actor.person_id)
    if session.scalar(other) is not None:
        raise Conflict(
            _l("You had another part in this route, so somebody else numbers and seals it."),
            _l("Ask another clerk of the agency."),
        )
    return route


def issued(session: Session, actor: Actor, route: Route, *, version_ids: Mapping[UUID, UUID], now: datetime) -> None:
    """Write down that every paper was numbered and sealed, and send them to the recipients.

    `version_ids` gives the issued version of each paper. In the issuing transaction, on a route from
    `find_awaiting(for_change=True)`. Raises Conflict if it waits no more or a paper is missing.
    """
    refuse_unless(route, RouteState.SIGNED, why=_l("This route does not wait for its number and seal."))
    if set(version_ids) != set(route.document_ids) or actor.person_id is None:
        raise Conflict(_l("Every paper of the envelope is issued together, by a person."), LOOK_AGAIN)
    take_duty(session, route, actor.person_id, Duty.ISSUE)
    for paper in route.papers:
        paper.issued_version_id = version_ids[paper.document_id]
        add_act(
            session,
            route,
            step=None,
            document_id=paper.document_id,
            version_id=paper.issued_version_id,
            person_id=actor.person_id,
            duty=Duty.ISSUE,
            now=now,
        )
    route.ended_at = now
    _move(session, route, RouteState.ISSUED, reason=None)
    session.flush()
    dispatch.send(session, route, now=now)
    record(session, actor, "route_issued", route, papers=len(route.papers))


def has_acted_everywhere(route: Route, step: RouteStep) -> bool:
    """Say whether every paper of the envelope has the step's signature."""
    return {act.document_id for act in route.acts if act.step_id == step.id} == set(route.document_ids)


def may_issue(session: Session, actor: Actor, route: Route) -> bool:
    """Say whether the route waits for its number and seal, and the actor is one who may give them."""
    return route.state == RouteState.SIGNED and scope.covers(
        session, actor, Permission.ISSUE_DOCUMENTS, route.agency_id
    )


def _name_fields(route: Route) -> None:
    counted = dict.fromkeys(_FIELDS, 0)
    for step in route.steps:
        act = Act(step.act)
        if act in _FIELDS:
            counted[act] += 1
            step.field_name = f"{_FIELDS[act]}_{counted[act]}"


def _open(session: Session, route: Route, steps: Sequence[RouteStep], *, now: datetime) -> None:
    for step in steps:
        step.state, step.opened_at, step.note = StepState.OPEN, now, None
        step.due_at = due(now, step.days) if step.days else None
    route.version += 1
    session.flush()
    enqueue(session, TURNS_TASK, {"route_id": str(route.id)})


def _move(session: Session, route: Route, state: RouteState, *, reason: str | None) -> None:
    """Bring the route into a state that its drafter hears of (and, when it is signed, the clerk)."""
    route.state, route.reason = state, reason
    route.version += 1
    session.flush()
    enqueue(session, NEWS_TASK, {"route_id": str(route.id)})


def _finish(session: Session, actor: Actor, route: Route, step: RouteStep, *, note: str | None, now: datetime) -> None:
    standing = people.standing(session, step, actor.person_id, now=now) if actor.person_id else None
    step.state, step.note, step.done_by, step.done_at = StepState.DONE, note, actor.person_id, now
    step.on_behalf_of_id = standing.absent.id if standing is not None and standing.absent is not None else None
    session.flush()
    waiting = [group for group in route.groups if any(one.state != StepState.DONE for one in group)]
    if not waiting:
        _move(session, route, RouteState.SIGNED, reason=None)
    elif all(one.state == StepState.WAITING for one in waiting[0]):
        _open(session, route, waiting[0], now=now)


def my_steps(session: Session, route: Route, actor: Actor, *, now: datetime) -> Sequence[RouteStep]:
    """Return the turns that the actor has on the route now."""
    if actor.person_id is None or route.state != RouteState.RUNNING:
        return []
    query = (
        select(RouteStep)
        .where(
            RouteStep.route_id == route.id,
            RouteStep.state == StepState.OPEN,
            people.may_act(actor.person_id, now=now),
        )
        .order_by(RouteStep.number)
    )
    return session.scalars(query).all()


def _open_step(session: Session, route: Route, step_id: UUID, actor: Actor, *, now: datetime) -> tuple[RouteStep, UUID]:
    found = next((step for step in my_steps(session, route, actor, now=now) if step.id == step_id), None)
    if found is None or actor.person_id is None:
        raise Conflict(_NOT_YOUR_TURN, LOOK_AGAIN)
    return found, actor.person_id
