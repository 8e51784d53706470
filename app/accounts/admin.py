"""The log of acts as a page, for administrators and auditors. It stands here because it names the accounts."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.accounts import service
from app.audit import service as audit
from app.audit.words import ACTS
from app.core.db import transaction
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, needs

bp = Blueprint("log", __name__, url_prefix="/log")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    add_place(
        app,
        Place(_l("Log of acts"), "log.index", Permission.READ_AUDIT, _l("Who did what, and when. Nothing is removed.")),
    )


@bp.get("/")
@needs(Permission.READ_AUDIT)
def index() -> ResponseReturnValue:
    before = request.args.get("before", type=int)
    with transaction() as session:
        page = audit.newest(session, before_id=before)
        labels = service.labels(session, [entry.actor_account_id for entry in page])
    older = page[-1].id if len(page) == audit.PAGE else None
    return render_template("accounts/log.html", entries=page, labels=labels, acts=ACTS, older=older)
