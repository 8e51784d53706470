"""A tablet fetches the roster of its building: whole the first time, then what changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Invalid
from app.core.i18n import CITY_ZONE
from app.gate import roster
from app.gate.device_guard import current_device, device_only

bp = Blueprint("gate_roster", __name__, url_prefix="/gate")


@bp.get("/roster")
@device_only("the sealed records of who is expected in the tablet's building")
def fetch() -> ResponseReturnValue:
    """Answer for today, or `?day=tomorrow`; `?roster=` and `?version=` name what the tablet has."""
    try:
        roster_id = UUID(request.args["roster"]) if "roster" in request.args else None
        version = int(request.args.get("version", "0"))
    except ValueError as error:
        raise Invalid(_l("The request could not be read.")) from error
    with transaction() as session:
        found = roster.update_since(
            session, current_device().checkpoint.building_id, _day(), roster_id=roster_id, version=version
        )
    # Nothing yet (worker makes the first within a minute), or nothing new.
    if found is None or found.is_empty:
        return "", 204
    response = Response(found.encode(), content_type="application/cbor")
    response.headers["Roster-Id"] = str(found.roster_id)
    return response


def _day() -> date:
    today = datetime.now(UTC).astimezone(CITY_ZONE).date()
    return today + timedelta(days=1) if request.args.get("day") == "tomorrow" else today
