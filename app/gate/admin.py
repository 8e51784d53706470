"""Pages for administrators: the tablets, their codes, and their end."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core.db import transaction
from app.core.permissions import Permission, current_actor, needs
from app.gate import checkpoints, devices
from app.gate.forms import ActForm, DeviceForm

bp = Blueprint("gate_admin", __name__, url_prefix="/gate/devices")


@bp.get("/")
@needs(Permission.MANAGE_GATES)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = devices.devices(session, current_actor())
    return render_template("gate/devices.html", devices=found, form=ActForm())


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.MANAGE_GATES)
def add() -> ResponseReturnValue:
    form = DeviceForm()
    with transaction() as session:
        places = checkpoints.listed(session, current_actor())
    form.checkpoint.choices = [(str(place.id), f"{place.building.name} – {place.name}") for place in places]
    if not form.validate_on_submit():
        return render_template("gate/device_new.html", form=form), 422 if form.is_submitted() else 200
    with transaction() as session:
        device, code = devices.add(
            session,
            UUID(form.checkpoint.data),
            label=form.label.data,
            actor=current_actor(),
            now=datetime.now(UTC),
        )
    return render_template("gate/device_code.html", device=device, code=code)


@bp.post("/<uuid:device_id>/code")
@needs(Permission.MANAGE_GATES)
def renew_code(device_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        device, code = devices.renew_code(session, device_id, actor=current_actor(), now=datetime.now(UTC))
    return render_template("gate/device_code.html", device=device, code=code)


@bp.route("/<uuid:device_id>/revoke", methods=["GET", "POST"])
@needs(Permission.MANAGE_GATES)
def revoke(device_id: UUID) -> ResponseReturnValue:
    form = ActForm()
    if not form.validate_on_submit():
        with transaction() as session:
            device = devices.find(session, device_id, actor=current_actor())
        return render_template("gate/device_revoke.html", device=device, form=form)
    with transaction() as session:
        devices.revoke(session, device_id, actor=current_actor(), now=datetime.now(UTC))
    flash(_("The tablet is revoked. Its next contact is refused."))
    return redirect(url_for(".index"))
