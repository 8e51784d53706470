"""Operations of the API on alarms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from app.alarms import service
from app.alarms.models import Alarm
from app.core.permissions import Permission
from app.interface import cursors
from app.interface.operations import Call, Operations
from app.interface.schemas import After, Flag, Next, Strict

operations = Operations("alarms")


class AlarmFacts(Strict):
    id: UUID
    kind: str
    object_kind: str
    object_id: str
    facts: Annotated[dict[str, Any], Field(description="Of the last occurrence.")]
    raised_at: datetime
    last_at: datetime
    count: Annotated[int, Field(description="How often it happened while it was open.")]
    closed_at: datetime | None

    @classmethod
    def of(cls, one: Alarm) -> Self:
        return cls(
            id=one.id,
            kind=one.kind,
            object_kind=one.object_kind,
            object_id=one.object_id,
            facts=one.facts,
            raised_at=one.raised_at,
            last_at=one.last_at,
            count=one.count,
            closed_at=one.closed_at,
        )


class AlarmPage(Strict):
    alarms: list[AlarmFacts]
    next: Next


class AlarmQuery(Strict):
    closed: Annotated[
        Flag, Field(description="Those that were closed, last closed first; otherwise all open ones.")
    ] = False
    after: After = None


@operations.add(
    "GET",
    "/alarms",
    Permission.READ_ALARMS,
    "List alarms, newest first",
    query=AlarmQuery,
    answer=AlarmPage,
)
def list_alarms(call: Call, query: AlarmQuery) -> AlarmPage:
    before = cursors.moment(query.after)
    if not query.closed:
        # One for each cause at the most, so there is no second page.
        found = [] if before else service.open_alarms(call.session, call.actor)
        return AlarmPage(alarms=[AlarmFacts.of(one) for one in found], next=None)
    found = service.closed_alarms(call.session, call.actor, before=before)
    last = found[-1].closed_at if len(found) == service.PAGE else None
    return AlarmPage(alarms=[AlarmFacts.of(one) for one in found], next=last.isoformat() if last else None)


@operations.add(
    "POST",
    "/alarms/<uuid:alarm_id>/closing",
    Permission.CLOSE_ALARMS,
    "Close an alarm; if it happens again, a new one is raised",
    answer=AlarmFacts,
)
def close_alarm(call: Call, alarm_id: UUID) -> AlarmFacts:
    return AlarmFacts.of(service.close(call.session, call.actor, alarm_id, now=call.now))
