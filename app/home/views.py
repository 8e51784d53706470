"""The home page: what waits for you, then what you can do; for a stranger, what this place is."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.core.db import transaction
from app.core.navigation import directory, places_for
from app.core.permissions import Actor, public

bp = Blueprint("home", __name__)


def init(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/")
@public("the front door")
def index() -> ResponseReturnValue:
    actor = getattr(current_user, "actor", None)
    if not isinstance(actor, Actor):
        return render_template("home/welcome.html")
    with transaction() as session:
        waiting = [item for provider in directory(current_app).waiting for item in provider(session, actor)]
    return render_template(
        "home/index.html",
        waiting=[item for item in waiting if item.count],
        places=places_for(current_app, actor),
    )
