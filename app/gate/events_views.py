"""The way of Flask to a tablet's log; the same functions stand in front of it as a bare application."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import NotFound
from app.gate import event_message, events
from app.gate.admissions_sql import driver
from app.gate.device_guard import current_device, device_only

bp = Blueprint("gate_events", __name__, url_prefix="/gate/v1")


@bp.post("/events")
@device_only("the tablet's own log of scans, signed entry by entry")
def receive() -> ResponseReturnValue:
    entries = event_message.parse(request.get_json(silent=True))
    with transaction() as session:
        connection = driver(session)
        who = events.sender(connection, current_device().id)
        if who is None:
            raise NotFound(_l("There is no such tablet."))
        receipt = events.take(connection, who, entries, now=datetime.now(UTC))
    return jsonify(receipt.to_json())
