"""The clerk's act: what waits for number, date and seal, what may be issued now, and the order to do it.

The order is written here, in `web`, which has no seal; `app.records.issuing` carries it out in `worker`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import step_up
from app.audit import service as audit
from app.certificates import register
from app.certificates.models import Certificate
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.core.storage import Storage
from app.marks.layout import is_refused
from app.records import head_check, registers
from app.records.head_check import Seen
from app.records.kinds import Kind, is_symbol
from app.records.models import IssueRequest, RequestState
from app.records.statement import PURPOSE, Paper, SealPlace, Statement
from app.registry import scope
from app.routes import layout
from app.routes import service as routes
from app.routes.holding import refuse_stale
from app.routes.models import Route
from app.seals import service as seals
from pki.layout.survey import Finding

ISSUE_TASK: Final = "records.issue"
_NONCE_OCTETS: Final = 16


@dataclass(frozen=True)
class Wish:
    """What the clerk filled in."""

    # Of the route, as the page showed it.
    route_version: int
    kind: Kind
    symbol: str
    issued_on: date
    place: SealPlace


@dataclass(frozen=True)
class Issuable:
    """A route as the clerk must see it before issuing: whose signatures the files carry, and with which seal."""

    route: Route
    seal: Certificate | None
    # By document.
    seen: dict[UUID, Seen]
    # An order that is being carried out.
    waiting: IssueRequest | None
    # What a paper breaks of Decree 30, by document.
    layout: Mapping[UUID, Sequence[Finding]]

    @property
    def symbol(self) -> str | None:
        """What stands printed on the main document."""
        return self.seen[self.route.document_ids[0]].symbol

    @property
    def is_ready(self) -> bool:
        return self.seal is not None and all(one.is_signed for one in self.seen.values()) and self.waiting is None

    @property
    def is_refused(self) -> bool:
        """Say whether a paper breaks what cannot be put right once it is sealed."""
        return any(is_refused(one) for broken in self.layout.values() for one in broken)


def look_at(session: Session, storage: Storage, actor: Actor, route_id: UUID, *, now: datetime) -> Issuable:
    """Return a route that waits for the actor's act, its files checked. Raises NotFound, Conflict."""
    route = routes.find_awaiting(session, actor, route_id)
    return Issuable(
        route,
        register.seal_of(session, route.agency_id, now=now),
        {
            paper.document_id: head_check.look(
                session,
                storage,
                paper.document.newest,
                head_check.heads_of(route, paper.document_id),
                now=now,
            )
            for paper in route.papers
        },
        waiting_order(session, route_id),
        layout.findings(session, storage, route),
    )


def waiting_order(session: Session, route_id: UUID) -> IssueRequest | None:
    """Return the order for the route that `worker` has not ended yet."""
    return session.scalar(
        select(IssueRequest).where(IssueRequest.route_id == route_id, IssueRequest.state == RequestState.WAITING)
    )


def request_issue(
    session: Session, storage: Storage, actor: Actor, route_id: UUID, wish: Wish, *, password: str, now: datetime
) -> IssueRequest | None:
    """Order a route's papers to be numbered, dated and sealed; None, and a line in the log, for a wrong password.

    A second order while one waits returns the first. The caller has counted the try of the password.
    Raises NotFound, Conflict (not waiting, changed, other part in it, no seal, head's signature), Invalid.
    """
    route = routes.find_awaiting(session, actor, route_id, for_change=True)
    if (waiting := waiting_order(session, route.id)) is not None:
        return waiting
    refuse_stale(route, wish.route_version)
    _check(wish, now=now)
    seal = seals.seal_of(session, route.agency_id, now=now)
    _refuse_unsigned(session, storage, route, wish.symbol, now=now)
    layout.refuse_breaches(session, storage, route)
    statement = Statement(
        agency_id=route.agency_id,
        route_id=route.id,
        papers=tuple(
            Paper(one.document_id, one.document.newest.number, one.document.newest.sha256) for one in route.papers
        ),
        kind=wish.kind,
        symbol=wish.symbol,
        issued_on=wish.issued_on,
        seal_sha256=seal.sha256 or "",
        place=wish.place,
        nonce=secrets.token_hex(_NONCE_OCTETS),
        expires_at=now + step_up.LIFE,
    )
    proof = step_up.prove(session, actor, password, purpose=PURPOSE, statement=statement.to_json(), now=now)
    if proof is None or actor.person_id is None:
        return None
    made = IssueRequest(
        agency_id=route.agency_id,
        route_id=route.id,
        step_up_id=proof.id,
        person_id=actor.person_id,
        state=RequestState.WAITING,
        asked_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor,
        "issue_requested",
        object_kind="route",
        object_id=route.id,
        agency_id=route.agency_id,
        request_id=str(made.id),
        kind=wish.kind.value,
        step_up_id=str(proof.id),
    )
    enqueue(session, ISSUE_TASK, {"request_id": str(made.id)}, queueing_lock=f"{ISSUE_TASK}:{made.id}")
    return made


def find_request(session: Session, actor: Actor, request_id: UUID) -> IssueRequest:
    """Return an order of an agency whose documents the actor may issue. Raises NotFound otherwise."""
    found = session.get(IssueRequest, request_id)
    if found is None or not scope.covers(session, actor, Permission.ISSUE_DOCUMENTS, found.agency_id):
        raise NotFound(_l("There is no such order."))
    return found


def orders(session: Session, actor: Actor, *, many: int = 10) -> Sequence[IssueRequest]:
    """Return the newest orders of the agencies whose documents the actor may issue."""
    query = (
        select(IssueRequest)
        .where(scope.within(actor, Permission.ISSUE_DOCUMENTS, IssueRequest.agency_id))
        .order_by(IssueRequest.asked_at.desc())
        .limit(many)
    )
    return session.scalars(query).unique().all()


def _check(wish: Wish, *, now: datetime) -> None:
    if not is_symbol(wish.symbol):
        raise Invalid(
            _l("A symbol is letters and figures with hyphens between, at most 40."),
            _l("For example QĐ-SKHCN, or SKHCN-VP for a letter."),
        )
    if wish.issued_on != registers.today(now):
        raise Conflict(
            _l("The day has changed. A document bears the date on which it is issued."),
            _l("Open the page again and look at the date."),
        )


def _refuse_unsigned(session: Session, storage: Storage, route: Route, symbol: str, *, now: datetime) -> None:
    for paper in route.papers:
        heads = head_check.heads_of(route, paper.document_id)
        seen = head_check.look(session, storage, paper.document.newest, heads, now=now)
        if not seen.is_signed:
            raise Conflict(
                _l(
                    "“%(title)s” does not carry the head's valid signature. Nothing was issued.",
                    title=paper.document.title,
                ),
                _l("Send the route back with a reason, so that it is signed again."),
            )
        if paper.position == 0 and seen.symbol not in (None, symbol):
            raise Invalid(_l("The paper prints another symbol behind its number: %(symbol)s.", symbol=seen.symbol))
