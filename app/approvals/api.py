"""Operations of the API on acts that need a second person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from app.approvals import reading, service
from app.approvals.models import Act
from app.core.permissions import Permission
from app.interface import cursors
from app.interface.operations import Call, Operations
from app.interface.schemas import After, Next, Strict

operations = Operations("approvals")


class ActFacts(Strict):
    id: UUID
    kind: str
    state: str
    digest_hex: Annotated[str, Field(description="SHA-256 of the exact request; an approval names it.")]
    payload: dict[str, Any]
    requested_at: datetime
    expires_at: datetime
    approvals_needed: int
    approvals: int
    failure: str | None

    @classmethod
    def of(cls, call: Call, one: Act) -> Self:
        return cls(
            id=one.id,
            kind=one.kind,
            state=one.state,
            digest_hex=one.digest_hex,
            payload=one.payload,
            requested_at=one.requested_at,
            expires_at=one.expires_at,
            approvals_needed=one.approvals_needed,
            approvals=reading.approvals_of(call.session, one.id),
            failure=one.failure,
        )


class ActList(Strict):
    acts: list[ActFacts]


class ActPage(Strict):
    acts: list[ActFacts]
    next: Next


class OwnQuery(Strict):
    after: After = None


class Approval(Strict):
    digest_hex: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The digest of the act as it was read.")]


class ActRefusal(Strict):
    note: Annotated[str, Field(min_length=10, max_length=500, description="The requester reads it.")]


@operations.add(
    "GET", "/approvals", Permission.SEE_APPROVALS, "List the acts that wait for your decision", answer=ActList
)
def list_acts(call: Call) -> ActList:
    return ActList(acts=[ActFacts.of(call, one) for one in reading.pending(call.session, call.actor)])


@operations.add(
    "GET",
    "/approvals/own",
    Permission.SEE_APPROVALS,
    "List the acts that you asked for, newest first",
    query=OwnQuery,
    answer=ActPage,
)
def list_own_acts(call: Call, query: OwnQuery) -> ActPage:
    found = reading.asked_by(call.session, call.actor, before=cursors.moment(query.after))
    more = found[-1].requested_at.isoformat() if len(found) == reading.PAGE else None
    return ActPage(acts=[ActFacts.of(call, one) for one in found], next=more)


@operations.add("GET", "/approvals/<uuid:act_id>", Permission.SEE_APPROVALS, "Look at an act", answer=ActFacts)
def look_at_act(call: Call, act_id: UUID) -> ActFacts:
    return ActFacts.of(call, reading.find_visible(call.session, call.actor, act_id))


@operations.add(
    "POST",
    "/approvals/<uuid:act_id>/approval",
    Permission.SEE_APPROVALS,
    "Approve an act; the last approval carries it out",
    body=Approval,
    answer=ActFacts,
)
def approve_act(call: Call, body: Approval, act_id: UUID) -> ActFacts:
    done = service.approve(call.session, call.actor, act_id, digest=body.digest_hex, now=call.now)
    return ActFacts.of(call, done)


@operations.add(
    "POST",
    "/approvals/<uuid:act_id>/refusal",
    Permission.SEE_APPROVALS,
    "Refuse an act",
    body=ActRefusal,
    answer=ActFacts,
)
def refuse_act(call: Call, body: ActRefusal, act_id: UUID) -> ActFacts:
    return ActFacts.of(call, service.refuse(call.session, call.actor, act_id, note=body.note, now=call.now))


@operations.add(
    "POST",
    "/approvals/<uuid:act_id>/withdrawal",
    Permission.SEE_APPROVALS,
    "Take back an act that you asked for",
    answer=ActFacts,
)
def withdraw_act(call: Call, act_id: UUID) -> ActFacts:
    return ActFacts.of(call, service.withdraw(call.session, call.actor, act_id, now=call.now))
