"""What a supervisor must look at: recorded once for a kind and scan, listed for a building, resolved with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from psycopg.types.json import Jsonb
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, lazyload

from app.audit import service as audit
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.gate.admissions_sql import Connection
from app.gate.models import Checkpoint, Device
from app.gate.models_leases import Incident, IncidentKind, Lease
from app.meetings.models import Building, Guest, Meeting, Pass
from app.registry import scope

PAGE: Final = 50


@dataclass(frozen=True)
class New:
    """An incident about to be recorded."""

    kind: IncidentKind
    building_id: UUID
    scan_id: UUID
    happened_at: datetime
    device_id: UUID | None = None
    pass_id: UUID | None = None
    earlier_scan_id: UUID | None = None
    facts: dict[str, Any] = field(default_factory=dict)


_INSERT: Final = b"""
INSERT INTO gate_incident (id, kind, building_id, device_id, pass_id, scan_id, earlier_scan_id, happened_at,
    recorded_at, facts)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (kind, scan_id) DO NOTHING
"""


def record(connection: Connection, found: Iterable[New], *, now: datetime) -> None:
    """Record incidents; one that is known already stays as it is."""
    rows = [
        (
            uuid4(), one.kind, one.building_id, one.device_id, one.pass_id, one.scan_id, one.earlier_scan_id,
            one.happened_at, now, Jsonb(one.facts),
        )
        for one in found
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, rows)


@dataclass(frozen=True)
class Shown:
    """An incident with the names that its page shows."""

    incident: Incident
    gate: str
    device: str
    guest: str
    meeting: str
    # The two entries of a double entry: gate and time of each.
    entries: tuple[tuple[str, datetime], ...]


def listed(
    session: Session,
    actor: Actor,
    *,
    kind: IncidentKind | None = None,
    resolved: bool = False,
    before: datetime | None = None,
) -> Sequence[Shown]:
    """Return incidents, newest first, as far as the actor may see: in their buildings, or at their meetings."""
    query = (
        select(Incident, Device, Checkpoint, Guest, Meeting)
        .outerjoin(Device, Device.id == Incident.device_id)
        .outerjoin(Checkpoint, Checkpoint.id == Device.checkpoint_id)
        .outerjoin(Pass, Pass.id == Incident.pass_id)
        .outerjoin(Guest, Guest.id == Pass.guest_id)
        .outerjoin(Meeting, Meeting.id == Guest.meeting_id)
        .join(Building, Building.id == Incident.building_id)
        # What these belong to is not looked at here, and would be joined so that an incident without a pass is lost.
        .options(
            lazyload(Checkpoint.building), lazyload(Guest.meeting), lazyload(Meeting.room), lazyload(Meeting.agency)
        )
        .where(Incident.resolved_at.is_not(None) if resolved else Incident.resolved_at.is_(None))
        .where(
            or_(
                scope.within(actor, Permission.MANAGE_GATES, Building.keeper_id),
                scope.within(actor, Permission.MANAGE_GATES, Meeting.agency_id),
            )
        )
        .order_by(Incident.recorded_at.desc())
        .limit(PAGE)
    )
    if kind is not None:
        query = query.where(Incident.kind == kind)
    if before is not None:
        query = query.where(Incident.recorded_at < before)
    rows = session.execute(query).unique().all()
    gates = {one.id: one.name for one in session.scalars(select(Checkpoint)).unique()}
    return [
        Shown(
            incident,
            gate.name if gate else "",
            device.label if device else "",
            guest.name if guest else "",
            meeting.title if meeting else "",
            tuple(
                (gates.get(UUID(one["checkpoint"]), ""), datetime.fromisoformat(one["at"]))
                for one in (incident.facts.get("first"), incident.facts.get("second"))
                if one
            ),
        )
        for incident, device, gate, guest, meeting in rows
    ]


def resolve(session: Session, incident_id: UUID, *, reason: str, actor: Actor, now: datetime) -> Incident:
    """Close an incident with what was found; rights in doubt return to the city by that. Raises Conflict, NotFound."""
    incident = session.get(Incident, incident_id)
    if incident is None or not _may_see(session, actor, incident):
        raise NotFound(_l("There is no such incident."))
    if not actor.may(Permission.MANAGE_GATES):
        raise Forbidden(_l("Your account is not allowed to resolve incidents."))
    if not reason.strip():
        raise Invalid(_l("Write what was found."))
    closed = session.execute(
        update(Incident)
        .where(Incident.id == incident_id, Incident.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=actor.account_id, resolution=reason.strip())
        .returning(Incident.id)
    ).scalar_one_or_none()
    if closed is None:
        raise Conflict(_l("This incident was resolved already."))
    if incident.kind == IncidentKind.RIGHTS_IN_DOUBT and incident.device_id is not None:
        _return_rights(session, incident.device_id, now=now)
    audit.record(session, actor, "incident_resolved", object_kind="gate_incident", object_id=incident_id,
                 kind=incident.kind)  # fmt: skip
    session.refresh(incident)
    return incident


def _return_rights(session: Session, device_id: UUID, *, now: datetime) -> None:
    """Take back what a restarted tablet may have used: a supervisor has looked, and answers for it."""
    returned = session.execute(
        update(Lease)
        .where(Lease.device_id == device_id, Lease.in_doubt_at.is_not(None), Lease.released_at.is_(None))
        .values(released_at=now)
        .returning(Lease.pass_id)
    ).scalars()
    session.execute(update(Pass).where(Pass.id.in_(list(returned))).values(leased_to=None))


def _may_see(session: Session, actor: Actor, incident: Incident) -> bool:
    """Say whether they keep the building or called the meeting."""
    keeper = session.get_one(Building, incident.building_id).keeper_id
    query = select(Meeting.agency_id).join(Guest, Guest.meeting_id == Meeting.id).join(Pass, Pass.guest_id == Guest.id)
    host = session.scalar(query.where(Pass.id == incident.pass_id))
    return scope.covers(session, actor, Permission.MANAGE_GATES, keeper) or (
        host is not None and scope.covers(session, actor, Permission.MANAGE_GATES, host)
    )
