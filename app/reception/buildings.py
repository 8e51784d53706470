"""Buildings as administrators keep them: who keeps one, its rooms, the names of its zones, its gates.

Nothing is deleted here: passes, scans and meetings of the past name these rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.permissions import Actor, Permission
from app.gate.models import Checkpoint, Device
from app.meetings.entered import one_line
from app.meetings.models import Building, Room
from app.reception import places, zones
from app.reception.models import Zone
from app.registry import scope
from app.registry.models import Agency

MANAGE: Final = Permission.MANAGE_GATES
_LONGEST: Final = 120


@dataclass(frozen=True)
class Gate:
    name: str
    zone: int
    # Tablets in use there.
    tablets: int


@dataclass(frozen=True)
class Plan:
    """A building with all that an administrator sees of it."""

    building: Building
    keeper: Agency | None
    rooms: Sequence[str]
    zones: Mapping[int, str]
    gates: Sequence[Gate]


def plan(session: Session, actor: Actor, building_id: UUID) -> Plan:
    """Return a building of the actor's scope. Raises NotFound."""
    building = places.find(session, actor, MANAGE, building_id)
    rooms = session.scalars(select(Room.name).where(Room.building_id == building.id).order_by(Room.name)).all()
    in_use = (
        select(func.count())
        .where(Device.checkpoint_id == Checkpoint.id, Device.enrolled_at.is_not(None), Device.revoked_at.is_(None))
        .scalar_subquery()
    )
    gates = session.execute(
        select(Checkpoint.name, Checkpoint.zone, in_use)
        .where(Checkpoint.building_id == building.id)
        .order_by(Checkpoint.zone, Checkpoint.name)
    )
    keeper = session.get(Agency, building.keeper_id) if building.keeper_id else None
    return Plan(building, keeper, rooms, zones.names(session, building.id), [Gate(*row) for row in gates])


def add(session: Session, actor: Actor, *, code: str, name: str, address: str, keeper_code: str) -> Building:
    """Add a building. A code that is taken by the same building changes nothing, by another one raises Conflict."""
    keeper = _keeper(session, actor, keeper_code)
    wanted = {"code": _line(code).upper(), "name": _line(name), "address": _line(address), "keeper_id": keeper.id}
    made = session.execute(
        insert(Building).values(wanted).on_conflict_do_nothing(index_elements=["code"]).returning(Building.id)
    ).scalar_one_or_none()
    if made is None:
        found = session.scalars(select(Building).where(Building.code == wanted["code"])).one()
        if (found.name, found.keeper_id) != (wanted["name"], keeper.id):
            raise Conflict(_l("Another building has this code."))
        return found
    building = session.get_one(Building, made)
    _record(session, actor, "building_added", building, code=building.code)
    return building


def give(session: Session, actor: Actor, building_id: UUID, keeper_code: str) -> None:
    """Let another agency of the actor's scope keep a building; the same one again changes nothing.

    From then on its guards see who is inside, and the guards of the agency before do not.
    """
    building = places.find(session, actor, MANAGE, building_id)
    keeper = _keeper(session, actor, keeper_code)
    given = session.execute(
        update(Building)
        .where(Building.id == building.id, Building.keeper_id.is_distinct_from(keeper.id))
        .values(keeper_id=keeper.id)
        .returning(Building.id)
    ).first()
    if given is not None:
        session.refresh(building)
        _record(session, actor, "building_given", building, to=keeper.code)


def add_room(session: Session, actor: Actor, building_id: UUID, name: str) -> None:
    """Add a room; one of that name changes nothing."""
    building = places.find(session, actor, MANAGE, building_id)
    room = _line(name)
    row = {"building_id": building.id, "name": room}
    statement = insert(Room).values(row).on_conflict_do_nothing(index_elements=["building_id", "name"])
    if session.execute(statement.returning(Room.id)).first() is not None:
        _record(session, actor, "room_added", building, room=room)


def name_zone(session: Session, actor: Actor, building_id: UUID, number: int, name: str) -> None:
    """Name a zone; the same name again changes nothing. Raises Invalid for a number that no pass has a bit for."""
    building = places.find(session, actor, MANAGE, building_id)
    if not 0 <= number < zones.MOST:
        raise Invalid(_l("A zone has a number from 0 to %(most)s.", most=zones.MOST - 1))
    named = insert(Zone).values(building_id=building.id, number=number, name=_line(name))
    statement = named.on_conflict_do_update(
        index_elements=["building_id", "number"],
        set_={"name": named.excluded.name},
        where=Zone.name != named.excluded.name,
    )
    if session.execute(statement.returning(Zone.number)).first() is not None:
        _record(session, actor, "zone_named", building, zone=number)


def add_gate(session: Session, actor: Actor, building_id: UUID, name: str, zone: int) -> None:
    """Add a gate that lets people into a zone (0: into the building); the same again changes nothing.

    Raises Invalid for a zone that the building does not have, Conflict for a gate of that name to another zone.
    """
    building = places.find(session, actor, MANAGE, building_id)
    if zone not in zones.names(session, building.id):
        raise Invalid(_l("Name this zone first."))
    gate = _line(name)
    row = {"building_id": building.id, "name": gate, "zone": zone}
    statement = insert(Checkpoint).values(row).on_conflict_do_nothing(index_elements=["building_id", "name"])
    if session.execute(statement.returning(Checkpoint.id)).first() is not None:
        _record(session, actor, "gate_added", building, gate=gate, zone=zone)
        return
    same = select(Checkpoint.zone).where(Checkpoint.building_id == building.id, Checkpoint.name == gate)
    if session.scalar(same) != zone:
        raise Conflict(_l("Another gate of this building has this name."))


def _keeper(session: Session, actor: Actor, code: str) -> Agency:
    keeper = session.scalar(select(Agency).where(Agency.code == code.strip()))
    if keeper is None:
        raise Invalid(_l("There is no agency with this code."))
    if not scope.covers(session, actor, MANAGE, keeper.id):
        raise Forbidden(_l("Your account is not allowed to keep buildings of this agency."))
    return keeper


def _line(text: str) -> str:
    line = one_line(text)[:_LONGEST]
    if not line:
        raise Invalid(_l("Enter a name."))
    return line


def _record(session: Session, actor: Actor, act: str, building: Building, **facts: str | int) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="building",
        object_id=building.id,
        agency_id=building.keeper_id,
        **facts,
    )
