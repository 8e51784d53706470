"""Pages for administrators: the buildings with their rooms, zones and gates."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core.db import transaction
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.permissions import Permission, current_actor, needs
from app.reception import buildings, places
from app.reception.forms import BuildingForm, GateForm, KeeperForm, RoomForm, ZoneForm

bp = Blueprint("buildings", __name__, url_prefix="/buildings")


@bp.get("/")
@needs(Permission.MANAGE_GATES)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = places.listed(session, current_actor(), Permission.MANAGE_GATES)
    return render_template("reception/buildings.html", buildings=found)


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.MANAGE_GATES)
def add() -> ResponseReturnValue:
    form = BuildingForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                made = buildings.add(
                    session,
                    current_actor(),
                    code=form.code.data,
                    name=form.name.data,
                    address=form.address.data,
                    keeper_code=form.keeper.data,
                )
        except (Conflict, Invalid, Forbidden) as error:
            (form.code if isinstance(error, Conflict) else form.keeper).errors = [str(error)]
        else:
            flash(_("The building is added. Now its rooms, zones and gates."))
            return redirect(url_for(".show", building_id=made.id))
    return render_template("reception/building_new.html", form=form), 422 if form.is_submitted() else 200


@bp.get("/<uuid:building_id>")
@needs(Permission.MANAGE_GATES)
def show(building_id: UUID) -> ResponseReturnValue:
    return _page(building_id, RoomForm(), ZoneForm(), GateForm())


@bp.route("/<uuid:building_id>/keeper", methods=["GET", "POST"])
@needs(Permission.MANAGE_GATES)
def give(building_id: UUID) -> ResponseReturnValue:
    form, actor = KeeperForm(), current_actor()
    with transaction() as session:
        plan = buildings.plan(session, actor, building_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                buildings.give(session, actor, building_id, form.keeper.data)
        except (Invalid, Forbidden) as error:
            form.keeper.errors = [str(error)]
        else:
            flash(_("The agency keeps the building now. Its guards see who is inside."))
            return redirect(url_for(".show", building_id=building_id))
    return render_template("reception/building_keeper.html", plan=plan, form=form), 422 if form.is_submitted() else 200


@bp.post("/<uuid:building_id>/rooms")
@needs(Permission.MANAGE_GATES)
def add_room(building_id: UUID) -> ResponseReturnValue:
    form = RoomForm()
    if not form.validate_on_submit():
        return _page(building_id, form, ZoneForm(formdata=None), GateForm(formdata=None))
    with transaction() as session:
        buildings.add_room(session, current_actor(), building_id, form.room.data)
    flash(_("The room is added. Meetings can be called there."))
    return redirect(url_for(".show", building_id=building_id))


@bp.post("/<uuid:building_id>/zones")
@needs(Permission.MANAGE_GATES)
def name_zone(building_id: UUID) -> ResponseReturnValue:
    form = ZoneForm()
    if not form.validate_on_submit():
        return _page(building_id, RoomForm(formdata=None), form, GateForm(formdata=None))
    with transaction() as session:
        buildings.name_zone(session, current_actor(), building_id, form.number.data, form.zone_name.data)
    flash(_("The zone has its name."))
    return redirect(url_for(".show", building_id=building_id))


@bp.post("/<uuid:building_id>/gates")
@needs(Permission.MANAGE_GATES)
def add_gate(building_id: UUID) -> ResponseReturnValue:
    form, actor = GateForm(), current_actor()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                buildings.add_gate(session, actor, building_id, form.gate.data, form.gate_zone.data)
        except (Conflict, Invalid) as error:
            (form.gate if isinstance(error, Conflict) else form.gate_zone).errors = [str(error)]
        else:
            flash(_("The gate is added. A tablet can be enrolled for it."))
            return redirect(url_for(".show", building_id=building_id))
    return _page(building_id, RoomForm(formdata=None), ZoneForm(formdata=None), form)


def _page(building_id: UUID, room: RoomForm, zone: ZoneForm, gate: GateForm) -> ResponseReturnValue:
    with transaction() as session:
        found = buildings.plan(session, current_actor(), building_id)
    forms = (room, zone, gate)
    status = 422 if any(form.errors for form in forms) else 200
    wrong = next((form for form in forms if form.errors), None)
    return (
        render_template("reception/building.html", plan=found, room=room, zone=zone, gate=gate, wrong=wrong),
        status,
    )
