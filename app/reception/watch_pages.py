"""The watch list, for those who keep it: asked for, ended, and who of it is expected today."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core.db import transaction
from app.core.errors import Forbidden, Invalid
from app.core.i18n import CITY_ZONE
from app.core.permissions import Permission, current_actor, needs
from app.core.running import settings
from app.reception import places, watch
from app.reception.forms import ActForm, WatchForm
from app.reception.watch import NewEntry

bp = Blueprint("watch", __name__, url_prefix="/reception/watch")


@bp.get("/")
@needs(Permission.KEEP_WATCH_LIST)
def index() -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        entries, found = watch.look(session, actor, now=now)
        names = {one.id: one.name for one in places.listed(session, actor, Permission.KEEP_WATCH_LIST)}
    return render_template("reception/watch.html", entries=entries, found=found, names=names, form=ActForm())


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.KEEP_WATCH_LIST)
def add() -> ResponseReturnValue:
    form, actor = WatchForm(), current_actor()
    with transaction() as session:
        mine = places.listed(session, actor, Permission.KEEP_WATCH_LIST)
    form.building.choices = [("", _("Every building of the city")), *((str(one.id), one.name) for one in mine)]
    if form.validate_on_submit():
        # To the end of that day, as people in the city count it.
        until = datetime.combine(form.until.data, time(23, 59, 59), CITY_ZONE)
        building_id = UUID(form.building.data) if form.building.data else None
        new = NewEntry(building_id, form.name.data, form.reason.data, until, form.number.data or "")
        try:
            with transaction() as session:
                watch.ask(session, settings(), actor, new, entry_id=UUID(form.entry.data), now=datetime.now(UTC))
        except (Invalid, Forbidden) as error:
            form.name.errors = [str(error)]
        else:
            flash(_("Another person must agree before the entry counts."))
            return redirect(url_for(".index"))
    form.entry.data = form.entry.data or str(uuid4())
    return render_template("reception/watch_new.html", form=form), 422 if form.is_submitted() else 200


@bp.post("/<uuid:entry_id>/end")
@needs(Permission.KEEP_WATCH_LIST)
def end(entry_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        watch.end(session, current_actor(), entry_id, now=datetime.now(UTC))
    flash(_("The entry has ended."))
    return redirect(url_for(".index"))
