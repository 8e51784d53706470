"""One-click sign-in for the people of the demonstration. Registered only when the demonstration is on."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, make_response, redirect, url_for
from flask_babel import lazy_gettext as _l

from app.accounts import service, session_cookie
from app.core.db import transaction
from app.core.errors import NotFound
from app.core.permissions import public
from app.core.running import settings
from app.demo.people import PASSWORD, PEOPLE

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.post("/sign-in/<login>")
@public("the demonstration has no secrets; this route does not exist in production")
def sign_in(login: str) -> Response:
    # A second lock: settings refuse the demonstration in production already.
    if not settings().demonstration or settings().is_production or login not in {one.login for one in PEOPLE}:
        raise NotFound(_l("There is no such person in the demonstration."))
    with transaction() as session:
        account = service.find_account(session, login)
    if account is None:
        raise NotFound(_l("The demonstration city was not created."))
    return session_cookie.sign_in(make_response(redirect(url_for("home.index"))), account)


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    app.jinja_env.globals["demo_people"] = PEOPLE
    app.jinja_env.globals["demo_password"] = PASSWORD
