"""Pages of the desk: guests found by name, let in and out by hand, and who is inside."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Conflict, NotFound
from app.core.navigation import Place, add_place, add_waiting
from app.core.permissions import Permission, current_actor, needs
from app.core.running import settings
from app.reception import (
    admin,
    desk,
    places,
    presence,
    roll_call_pages,
    visit_pages,
    visits,
    waiting,
    watch_pages,
    zones,
)
from app.reception.desk import Answer
from app.reception.forms import ActForm, ByHandForm
from app.reception.words import STATES

bp = Blueprint("reception", __name__, url_prefix="/reception")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(visit_pages.bp)
    app.register_blueprint(roll_call_pages.bp)
    app.register_blueprint(admin.bp)
    app.register_blueprint(watch_pages.bp)
    purpose = _l("Guests without a code, visitors, and who is inside.")
    add_place(app, Place(_l("Reception"), "reception.index", Permission.RECEIVE_VISITORS, purpose))
    roll = _l("Call the roll when a building is evacuated, also without a network.")
    add_place(app, Place(_l("Evacuation"), "roll_call.page", Permission.CALL_ROLL, roll, in_header=False))
    kept = _l("Rooms, zones and gates of the buildings.")
    add_place(app, Place(_l("Buildings"), "buildings.index", Permission.MANAGE_GATES, kept, in_header=False))
    watched = _l("People about whom supervisors are told before they arrive.")
    add_place(app, Place(_l("Watch list"), "watch.index", Permission.KEEP_WATCH_LIST, watched, in_header=False))
    add_waiting(app, waiting.of)


@bp.get("/")
@needs(Permission.RECEIVE_VISITORS)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = places.listed(session, current_actor(), Permission.RECEIVE_VISITORS)
    if len(found) == 1:
        return redirect(url_for(".show", building_id=found[0].id))
    return render_template("reception/index.html", buildings=found)


@bp.get("/<uuid:building_id>")
@needs(Permission.RECEIVE_VISITORS)
def show(building_id: UUID) -> ResponseReturnValue:
    actor, text, now = current_actor(), request.args.get("q", ""), datetime.now(UTC)
    with transaction() as session:
        building = places.find(session, actor, Permission.RECEIVE_VISITORS, building_id)
        visitors = visits.of_today(session, actor, building_id, now=now)
        found = desk.search(session, settings(), actor, building_id, text, now=now)
        inside = presence.count(session, building_id)
    return render_template(
        "reception/desk.html",
        building=building,
        text=text,
        found=found,
        visitors=visitors,
        inside=inside,
        states=STATES,
        form=ActForm(),
    )


@bp.get("/<uuid:building_id>/visitors")
@needs(Permission.RECEIVE_VISITORS)
def visitors_part(building_id: UUID) -> ResponseReturnValue:
    """The list of visitors alone: the desk fetches it every few seconds."""
    with transaction() as session:
        found = visits.of_today(session, current_actor(), building_id, now=datetime.now(UTC))
        inside = presence.count(session, building_id)
    return render_template(
        "reception/visitors_part.html", visitors=found, inside=inside, states=STATES, building_id=building_id
    )


@bp.route("/guests/<uuid:guest_id>", methods=["GET", "POST"])
@needs(Permission.RECEIVE_VISITORS)
def guest(guest_id: UUID) -> ResponseReturnValue:
    form = ByHandForm()
    if not form.validate_on_submit():
        return _guest_page(guest_id, form, 422 if form.is_submitted() else 200)
    actor, now = current_actor(), datetime.now(UTC)
    try:
        with transaction() as session:
            done = desk.let_in(
                session, actor, guest_id, entry_id=UUID(form.entry.data), reason=form.reason.data, now=now
            )
    except Conflict as error:
        form.reason.errors = [str(error)]
        return _guest_page(guest_id, form, 422)
    if done is Answer.LEASED:
        flash(
            _("A gate may let this person in at this moment. It was asked to give that back: try again soon."), "wait"
        )
    elif done is Answer.ALREADY:
        flash(_("This invitation was used already. Nothing was changed."), "wait")
    else:
        flash(_("Written down: the person may come in."))
    return redirect(url_for(".guest", guest_id=guest_id))


@bp.get("/guests/<uuid:guest_id>/badge")
@needs(Permission.RECEIVE_VISITORS)
def guest_badge(guest_id: UUID) -> ResponseReturnValue:
    """A badge with a name and no code: a guest's code is the invitation itself."""
    with transaction() as session:
        building, found = desk.find(session, current_actor(), guest_id)
    if not found.inside:
        raise NotFound(_l("A badge is printed for somebody who is inside."))
    return render_template("reception/guest_badge.html", building=building, found=found)


@bp.post("/guests/<uuid:guest_id>/out")
@needs(Permission.RECEIVE_VISITORS)
def guest_out(guest_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        desk.let_out(session, current_actor(), guest_id, entry_id=uuid4(), now=datetime.now(UTC))
    flash(_("Written down: the person has left."))
    return redirect(url_for(".guest", guest_id=guest_id))


@bp.get("/<uuid:building_id>/inside")
@needs(Permission.RECEIVE_VISITORS, Permission.CALL_ROLL)
def inside(building_id: UUID) -> ResponseReturnValue:
    """Who is inside. The look itself is written down; the part that refreshes itself is one look."""
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        building, found = presence.look(session, actor, building_id, again="part" in request.args, now=now)
        named = zones.names(session, building_id)
    template = "reception/inside_part.html" if "part" in request.args else "reception/inside.html"
    return render_template(
        template, building=building, found=found, now=now, zones=named, by_zone=presence.by_zone(found)
    )


def _guest_page(guest_id: UUID, form: ByHandForm, status: int) -> tuple[str, int]:
    with transaction() as session:
        building, found = desk.find(session, current_actor(), guest_id)
    if not form.entry.data:
        form.entry.data = str(uuid4())
    return render_template("reception/guest.html", building=building, found=found, form=form), status
