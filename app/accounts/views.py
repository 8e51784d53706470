"""Pages of signing in and out, and the choice of language."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.accounts import admin, service, session_cookie, token_pages
from app.accounts.forms import PasswordForm, SignInForm
from app.core.db import transaction
from app.core.errors import Invalid, NotFound
from app.core.i18n import LANGUAGE_COOKIE, LANGUAGES
from app.core.navigation import Place, add_place
from app.core.permissions import current_actor, public, signed_in

bp = Blueprint("accounts", __name__)


def own_path(target: str | None) -> str | None:
    """Return `target` if it is a path of this site, else None: a link in a mail must not lead elsewhere.

    Only printable ASCII after one leading slash passes; browsers read `//` and backslashes as another host.
    """
    if not target or not target.isascii() or not target.isprintable() or "\\" in target:
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return None
    return target


@bp.route("/sign-in", methods=["GET", "POST"])
@public("signing in is how one stops being a stranger")
def sign_in() -> ResponseReturnValue:
    form = SignInForm()
    target = own_path(request.args.get("next")) or url_for("home.index")
    if current_user.is_authenticated and request.method == "GET":
        return redirect(target)
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), 422 if form.is_submitted() else 200
    now = datetime.now(UTC)
    with transaction() as session:
        # Committed by itself: a wrong password must not roll the count back.
        service.throttle_sign_in(session, login=form.login.data, address=request.remote_addr or "", now=now)
    try:
        with transaction() as session:
            account = service.check_password(session, login=form.login.data, password=form.password.data)
    except Invalid as error:
        form.password.errors = [str(error)]
        return render_template("accounts/sign_in.html", form=form), 422
    return session_cookie.sign_in(make_response(redirect(target)), account)


@bp.post("/sign-out")
@public("ending a session needs no right; without one nothing happens")
def sign_out() -> Response:
    return session_cookie.sign_out(make_response(redirect(url_for("home.index"))), request)


@bp.route("/account/password", methods=["GET", "POST"])
@signed_in("everyone changes their own password and nobody else's")
def change_password() -> ResponseReturnValue:
    form, actor, now = PasswordForm(), current_actor(), datetime.now(UTC)
    if not form.validate_on_submit():
        return render_template("accounts/password.html", form=form), 422 if form.is_submitted() else 200
    with transaction() as session:
        # Committed by itself, like the tries at the door.
        service.throttle_sign_in(
            session, login=service.login_of(session, actor), address=request.remote_addr or "", now=now
        )
    token = request.cookies.get(session_cookie.cookie_name(), "")
    try:
        with transaction() as session:
            service.change_password(session, actor, current=form.current.data, new=form.new.data, token=token, now=now)
    except Invalid as error:
        form.current.errors = [str(error)]
        return render_template("accounts/password.html", form=form), 422
    flash(_("Your password is changed. You are signed out on every other device."))
    return redirect(url_for("home.index"))


@bp.get("/language/<language>")
@public("everyone reads in their own language")
def choose_language(language: str) -> Response:
    if language not in LANGUAGES:
        raise NotFound(_l("There is no such language."))
    response = make_response(redirect(own_path(request.args.get("next")) or url_for("home.index")))
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("Choose another password, and end every other session of yours.")
    add_place(app, Place(_l("My password"), "accounts.change_password", None, purpose, in_header=False))
    token_pages.init(app)
    admin.init(app)
