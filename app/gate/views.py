"""The gate tablet: enrolment, the scanning page, its signed lists, and the scans it sends."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from app.core.assets import LazyAssets
from app.core.db import transaction
from app.core.errors import Invalid, NotFound
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs, public
from app.core.running import settings, storage
from app.core.security import allow_camera_and_wasm
from app.core.static_files import send
from app.gate import (
    admin,
    admissions,
    device_guard,
    devices,
    events_views,
    incidents_pages,
    leases,
    publications,
    roster_pages,
)
from app.gate.device_guard import current_device, device_only
from app.gate.forms import EnrolForm
from app.gate.scan_message import ScanMessage
from app.gate.words import screen_words
from app.meetings import day_keys

bp = Blueprint("gate", __name__, url_prefix="/gate")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(admin.bp)
    app.register_blueprint(roster_pages.bp)
    app.register_blueprint(events_views.bp)
    app.register_blueprint(incidents_pages.bp)
    purpose = _l("Double entries, restored tablets, jumping clocks: what supervisors must look at.")
    add_place(app, Place(_l("Incidents"), "gate_incidents.index", Permission.MANAGE_GATES, purpose))
    add_place(app, Place(_l("Gate"), "gate.enrol", Permission.SCAN_PASSES, _l("Scan invitations on this tablet.")))
    add_place(
        app,
        Place(
            _l("Tablets"), "gate_admin.index", Permission.MANAGE_GATES, _l("Enrol and revoke the tablets at the gates.")
        ),
    )


@bp.route("/enrol", methods=["GET", "POST"])
@needs(Permission.SCAN_PASSES)
def enrol() -> ResponseReturnValue:
    if request.method == "GET" and device_guard.enrolled_device() is not None:
        return redirect(url_for(".scanner"))
    form = EnrolForm()
    if not form.validate_on_submit():
        return render_template("gate/enrol.html", form=form), 422 if form.is_submitted() else 200
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        devices.throttle_enrolment(session, account_id=actor.account_id, now=now)
    try:
        with transaction() as session:
            _, token = devices.enrol(session, form.code.data, public_key=form.public_key(), actor=actor, now=now)
    except Invalid as error:
        form.code.errors = [str(error)]
        return render_template("gate/enrol.html", form=form), 422
    return device_guard.remember(make_response(redirect(url_for(".scanner"))), token)


@bp.get("/")
@device_only("the scanning page")
def scanner() -> ResponseReturnValue:
    allow_camera_and_wasm()
    device = current_device()
    with transaction() as session:
        trust_key = publications.trust_key_spki(session, now=datetime.now(UTC))
    described = {
        "id": base64.b64encode(device.id.bytes).decode(),
        "checkpointId": base64.b64encode(device.checkpoint.id.bytes).decode(),
        "checkpoint": device.checkpoint.name,
        "trustKey": base64.b64encode(trust_key).decode(),
        "keyName": hashlib.sha256(device.public_key).hexdigest() if device.public_key else "",
        "pageUrl": url_for(".scanner"),
        "offlineUrl": url_for(".offline_script"),
    }
    return render_template("gate/scanner.html", device=device, described=described, words=screen_words())


@bp.get("/offline.js")
@public("it lets the page of a tablet open without a network; it holds nothing")
def offline_script() -> ResponseReturnValue:
    assets = cast(LazyAssets, current_app.extensions["kyvao_assets"])
    chunk = assets.get().chunk("src/entries/gate_offline.ts")
    response = send(Path(current_app.static_folder or "static"), f"dist/{chunk.file}")
    # Its name never changes, so it must not be kept for a year.
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = url_for(".scanner")
    return response


@bp.get("/lists")
@device_only("the signed lists that the tablet decides by")
def lists() -> ResponseReturnValue:
    device, now = current_device(), datetime.now(UTC)
    with transaction() as session:
        trust_list, status_list = publications.newest(session)
        lease_list = leases.newest_list(session, device.id)
    return jsonify(
        now=now.isoformat(),
        checkpoint={"building": device.checkpoint.building.code, "zone": device.checkpoint.zone},
        trust_list=base64.b64encode(trust_list).decode(),
        status_list=base64.b64encode(status_list).decode(),
        lease=base64.b64encode(lease_list).decode() if lease_list is not None else None,
        day_keys={
            day.isoformat(): base64.b64encode(key).decode()
            for day, key in day_keys.for_gates(settings(), now=now).items()
        },
        # A tablet stays open all day; its form token is renewed with its lists.
        form_token=generate_csrf(),
    )


@bp.post("/scans")
@device_only("what was scanned, for the admission that happens once")
def scan() -> ResponseReturnValue:
    message = ScanMessage.parse(request.get_json(silent=True))
    actor = getattr(current_user, "actor", None)
    with transaction() as session:
        answer = admissions.admit(
            session,
            current_device(),
            message,
            settings=settings(),
            operator_account_id=actor.account_id if actor else None,
            now=datetime.now(UTC),
        )
    return jsonify(answer.to_json())


@bp.post("/scans/<uuid:scan_id>/face")
@device_only("the guard's answer whether the face is the portrait's")
def face(scan_id: UUID) -> ResponseReturnValue:
    body = request.get_json(silent=True)
    matches = body.get("matches") if isinstance(body, dict) else None
    if not isinstance(matches, bool):
        raise Invalid(_l("The answer could not be read."))
    with transaction() as session:
        admissions.judge_face(session, current_device(), scan_id, matches=matches)
    return "", 204


@bp.get("/scans/<uuid:scan_id>/portrait")
@device_only("the portrait of the guest who was just scanned here")
def portrait(scan_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        digest_hex = admissions.portrait_of_scan(session, current_device(), scan_id, now=datetime.now(UTC))
    if digest_hex is None:
        raise NotFound(_l("There is no portrait."))
    return Response(storage().get(digest_hex), content_type="image/webp")
