"""Raising alarms, reading the open ones, and closing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Boolean, ColumnElement, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.alarms.models import Alarm
from app.audit import service as audit
from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.registry import scope

TELL_TASK: Final = "alarms.tell"
PAGE: Final = 50


def raise_alarm(
    session: Session,
    kind: str,
    *,
    object_kind: str,
    object_id: object,
    agency_id: UUID | None = None,
    **facts: str | int | bool | None,
) -> None:
    """Raise an alarm about one object, or count it once more while the same one is open.

    `kind` has words in app/alarms/words.py. Administrators get one letter for an alarm, not for its repetitions.
    The time is that of the transaction. An alarm about a refusal must be raised in a transaction that commits.
    """
    new = insert(Alarm).values(
        kind=kind, object_kind=object_kind, object_id=str(object_id), agency_id=agency_id, facts=dict(facts)
    )
    upsert = new.on_conflict_do_update(
        index_elements=[Alarm.kind, Alarm.object_kind, Alarm.object_id],
        index_where=Alarm.closed_at.is_(None),
        set_={"count": Alarm.count + 1, "last_at": func.now(), "facts": new.excluded.facts},
    )
    is_first = literal_column("xmax = 0", Boolean)
    alarm_id, is_new = session.execute(upsert.returning(Alarm.id, is_first)).one()
    if is_new:
        enqueue(session, TELL_TASK, {"alarm_id": str(alarm_id)})


def open_alarms(session: Session, actor: Actor) -> Sequence[Alarm]:
    """Return the open alarms in the actor's scope, newest first."""
    query = select(Alarm).where(Alarm.closed_at.is_(None), _in_scope(actor))
    return session.scalars(query.order_by(Alarm.raised_at.desc())).all()


def count_open(session: Session, actor: Actor) -> int:
    query = select(func.count()).select_from(Alarm).where(Alarm.closed_at.is_(None), _in_scope(actor))
    return session.execute(query).scalar_one()


def closed_alarms(session: Session, actor: Actor, *, before: datetime | None = None) -> Sequence[Alarm]:
    """Return a page of the closed alarms in the actor's scope, last closed first."""
    query = select(Alarm).where(Alarm.closed_at.is_not(None), _in_scope(actor))
    if before is not None:
        query = query.where(Alarm.closed_at < before)
    return session.scalars(query.order_by(Alarm.closed_at.desc()).limit(PAGE)).all()


def close(session: Session, actor: Actor, alarm_id: UUID, *, now: datetime) -> Alarm:
    """Close an alarm; closing it twice changes nothing. Raises NotFound outside the actor's scope.

    If its cause goes on, the next occurrence raises a new one.
    """
    alarm = session.get(Alarm, alarm_id)
    if alarm is None or not scope.covers(session, actor, Permission.CLOSE_ALARMS, alarm.agency_id):
        raise NotFound(_l("There is no such alarm."))
    closed = session.execute(
        update(Alarm)
        .where(Alarm.id == alarm_id, Alarm.closed_at.is_(None))
        .values(closed_at=now, closed_by=actor.account_id)
        .returning(Alarm.id)
    ).scalar_one_or_none()
    session.refresh(alarm)
    if closed is not None:
        audit.record(
            session,
            actor,
            "alarm_closed",
            object_kind="alarm",
            object_id=alarm.id,
            agency_id=alarm.agency_id,
            kind=alarm.kind,
            count=alarm.count,
        )
    return alarm


def find(session: Session, alarm_id: UUID) -> Alarm | None:
    """Return an alarm for a job; pages read through `open_alarms`."""
    return session.get(Alarm, alarm_id)


def _in_scope(actor: Actor) -> ColumnElement[bool]:
    return scope.within(actor, Permission.READ_ALARMS, Alarm.agency_id)
