"""Pages of visitors without an invitation: registered at the desk, answered by the host, badge and leaving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core.db import transaction
from app.core.errors import NotFound
from app.core.permissions import Permission, current_actor, needs, signed_in
from app.core.running import settings
from app.core.security import allow_camera_and_wasm
from app.reception import badges, places, visits
from app.reception.forms import ActForm, AnswerForm, VisitForm
from app.reception.models import VisitState
from app.reception.visits import NewVisit
from app.reception.words import STATES

bp = Blueprint("visits", __name__, url_prefix="/reception")

STAY: Final = timedelta(hours=4)


@bp.route("/<uuid:building_id>/visits/new", methods=["GET", "POST"])
@needs(Permission.RECEIVE_VISITORS)
def new(building_id: UUID) -> ResponseReturnValue:
    """First the host is found, then the visitor is entered."""
    actor, text, host_id = current_actor(), request.args.get("q", ""), request.args.get("host", type=UUID)
    with transaction() as session:
        building = places.find(session, actor, Permission.RECEIVE_VISITORS, building_id)
        found = visits.search_hosts(session, actor, text) if host_id is None else []
        host = visits.find_host(session, actor, host_id) if host_id is not None else None
    if host is None:
        return render_template("reception/host.html", building=building, found=found, text=text)
    # The card may be read by the camera.
    allow_camera_and_wasm()
    form = VisitForm()
    if not form.validate_on_submit():
        form.visit.data = form.visit.data or str(uuid4())
        status = 422 if form.is_submitted() else 200
        return render_template("reception/visit_new.html", building=building, host=host, form=form), status
    entered = NewVisit(
        form.name.data, form.organisation.data or "", form.purpose.data, host.id, number=form.number.data or ""
    )
    with transaction() as session:
        visits.register(
            session, settings(), actor, building_id, entered, visit_id=UUID(form.visit.data), now=datetime.now(UTC)
        )
    flash(_("%(host)s has been told. The answer appears here by itself.", host=host.label))
    return redirect(url_for("reception.show", building_id=building_id, _anchor="visitors"))


@bp.route("/visits/<uuid:visit_id>", methods=["GET", "POST"])
@signed_in("a host answers for their own visitors only")
def answer(visit_id: UUID) -> ResponseReturnValue:
    form, actor = AnswerForm(), current_actor()
    if not form.validate_on_submit():
        with transaction() as session:
            visit = visits.of_host(session, actor, visit_id)
        status = 422 if form.is_submitted() else 200
        return render_template("reception/answer.html", visit=visit, form=form, states=STATES), status
    with transaction() as session:
        visits.answer(
            session, actor, visit_id, VisitState(form.answer.data), note=form.note.data or "", now=datetime.now(UTC)
        )
    flash(_("The desk has your answer."))
    return redirect(url_for(".answer", visit_id=visit_id))


@bp.post("/visits/<uuid:visit_id>/in")
@needs(Permission.RECEIVE_VISITORS)
def let_in(visit_id: UUID) -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        visits.let_in(session, current_actor(), visit_id, until=now + STAY, now=now)
    return redirect(url_for(".visit", visit_id=visit_id))


@bp.get("/visits/<uuid:visit_id>/desk")
@needs(Permission.RECEIVE_VISITORS)
def visit(visit_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = visits.at_desk(session, current_actor(), visit_id)
    return render_template("reception/visit.html", visit=found, states=STATES, form=ActForm())


@bp.post("/visits/<uuid:visit_id>/badge")
@needs(Permission.RECEIVE_VISITORS)
def badge(visit_id: UUID) -> ResponseReturnValue:
    """Show a badge to print. Its code stands nowhere else, so each printing makes a new one and ends the last."""
    with transaction() as session:
        found, digits = visits.new_badge(session, current_actor(), visit_id)
    return render_template("reception/badge.html", visit=found, code=badges.picture(digits))


@bp.post("/visits/<uuid:visit_id>/out")
@needs(Permission.RECEIVE_VISITORS)
def let_out(visit_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        visits.let_out(session, current_actor(), visit_id, now=datetime.now(UTC))
        found = visits.at_desk(session, current_actor(), visit_id)
    flash(_("Written down: the person has left."))
    return redirect(url_for("reception.show", building_id=found.building_id, _anchor="visitors"))


@bp.post("/<uuid:building_id>/badges")
@needs(Permission.RECEIVE_VISITORS)
def badge_read(building_id: UUID) -> ResponseReturnValue:
    """A badge held before the desk's scanner as somebody leaves."""
    try:
        with transaction() as session:
            found = visits.by_badge(session, current_actor(), request.form.get("badge", ""))
            visits.let_out(session, current_actor(), found.id, now=datetime.now(UTC))
    except NotFound as error:
        flash(str(error), "wait")
    else:
        flash(_("%(name)s has left.", name=found.name))
    return redirect(url_for("reception.show", building_id=building_id, _anchor="visitors"))
