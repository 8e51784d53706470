"""The roll on wardens' phones, and its pages for whoever leads."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from app.core.assets import LazyAssets
from app.core.db import transaction
from app.core.i18n import moment
from app.core.permissions import Permission, current_actor, needs, public
from app.core.running import settings
from app.core.static_files import send
from app.reception import places, presence, roll_call, roll_sheet, zones
from app.reception.forms import ActForm
from app.reception.words import MARKS, UNMARKED, roll_words

bp = Blueprint("roll_call", __name__, url_prefix="/reception")


@bp.get("/roll-call")
@public("the page holds nobody; the people inside come only to a warden who is signed in")
def page() -> ResponseReturnValue:
    return render_template("reception/roll_call.html", marks=MARKS, unmarked=UNMARKED, words=roll_words())


@bp.get("/roll-call/manifest.webmanifest")
@public("it lets a phone install the page; it holds nothing")
def manifest() -> ResponseReturnValue:
    facts = {
        "name": f"{_('Roll call')} – Ký Vào",
        "short_name": _("Roll call"),
        "start_url": url_for(".page"),
        "scope": url_for(".page"),
        "display": "standalone",
        "background_color": "#FAF8F4",
        "theme_color": "#16213A",
        "icons": [{"src": url_for("static", filename="favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return Response(json.dumps(facts), content_type="application/manifest+json")


@bp.get("/roll-call/offline.js")
@public("it lets the page open without a network; it holds nothing")
def offline_script() -> ResponseReturnValue:
    assets = cast(LazyAssets, current_app.extensions["kyvao_assets"])
    chunk = assets.get().chunk("src/entries/roll_call_offline.ts")
    response = send(Path(current_app.static_folder or "static"), f"dist/{chunk.file}")
    # Its name never changes, so it must not be kept for a year; its scope is the page above its folder.
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/reception/roll-call"
    return response


@bp.get("/roll-call/sheet")
@needs(Permission.CALL_ROLL)
def sheet() -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        again, have = "again" in request.args, request.args.get("have", "")
        made = roll_sheet.make(session, settings(), actor, again=again, now=now, have=have)
    facts = made.to_json() if made is not None else {"unchangedAt": now.isoformat()}
    answer = jsonify(**facts, formToken=generate_csrf())
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/roll-call/marks")
@needs(Permission.CALL_ROLL)
def marks() -> ResponseReturnValue:
    sent = roll_sheet.read_marks(request.get_json(silent=True))
    with transaction() as session:
        kept = roll_call.merge(session, current_actor(), sent, now=datetime.now(UTC))
    return jsonify(kept=[str(one) for one in kept])


@bp.route("/<uuid:building_id>/evacuation", methods=["GET", "POST"])
@needs(Permission.CALL_ROLL)
def start(building_id: UUID) -> ResponseReturnValue:
    form, actor = ActForm(), current_actor()
    if not form.validate_on_submit():
        with transaction() as session:
            building = places.find(session, actor, Permission.CALL_ROLL, building_id)
            roll = roll_call.running(session, building_id)
            inside = presence.count(session, building_id)
        if roll is not None:
            return redirect(url_for(".show", roll_call_id=roll.id))
        return render_template("reception/evacuation.html", building=building, inside=inside, form=form)
    with transaction() as session:
        roll = roll_call.start(session, actor, building_id, now=datetime.now(UTC))
    return redirect(url_for(".show", roll_call_id=roll.id))


@bp.get("/evacuations/<uuid:roll_call_id>")
@needs(Permission.CALL_ROLL)
def show(roll_call_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        roll = roll_call.find(session, current_actor(), roll_call_id)
        lines = roll_call.lines(session, roll)
        named = zones.names(session, roll.building_id)
    part = "part" in request.args
    return render_template(
        "reception/evacuation_part.html" if part else "reception/evacuation_show.html",
        roll=roll,
        lines=lines,
        counts=roll_call.counts(lines),
        marks=MARKS,
        zones=named,
        form=ActForm(),
    )


@bp.post("/evacuations/<uuid:roll_call_id>/end")
@needs(Permission.CALL_ROLL)
def end(roll_call_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        roll_call.end(session, current_actor(), roll_call_id, now=datetime.now(UTC))
    flash(_("The evacuation is ended. Marks that arrive later are still added."))
    return redirect(url_for(".show", roll_call_id=roll_call_id))


@bp.get("/evacuations/<uuid:roll_call_id>/export.csv")
@needs(Permission.CALL_ROLL)
def export(roll_call_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        roll = roll_call.find(session, current_actor(), roll_call_id)
        lines, named = roll_call.lines(session, roll), zones.names(session, roll.building_id)
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([_("Name"), _("Zone"), _("State"), _("Marked by"), _("When")])
    for line in lines:
        state = str(MARKS[line.mark] if line.mark else UNMARKED)
        # A leading sign would be a formula in a spreadsheet.
        name = f"'{line.name}" if line.name.startswith(("=", "+", "-", "@")) else line.name
        writer.writerow([name, named.get(line.zone, line.zone), state, line.by, moment(line.at) if line.at else ""])
    headers = {"Content-Disposition": 'attachment; filename="so-tan.csv"'}
    return Response("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
