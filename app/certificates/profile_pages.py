"""Pages of the profiles: what is issued for how long, and asking for a change."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import IntegerField
from wtforms.validators import InputRequired

from app.certificates import profile_settings as profiles
from app.certificates import words
from app.core.db import transaction
from app.core.errors import Invalid
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs

bp = Blueprint("profiles", __name__, url_prefix="/authority/profiles")


class ValidityForm(FlaskForm):
    days = IntegerField(_l("New validity, in days"), validators=[InputRequired(_l("Enter a whole number."))])


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("See for how long each kind of certificate is valid, and ask for a change.")
    add_place(
        app, Place(_l("Certificate profiles"), "profiles.index", Permission.MANAGE_PROFILES, purpose, in_header=False)
    )


@bp.get("/")
@needs(Permission.MANAGE_PROFILES)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = profiles.profiles_in_force(session)
    return render_template("certificates/profiles.html", found=found, bounds=profiles.BOUNDS, words=words)


@bp.route("/<name>", methods=["GET", "POST"])
@needs(Permission.MANAGE_PROFILES)
def show(name: str) -> ResponseReturnValue:
    profile, form = profiles.changeable(name), ValidityForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                now = datetime.now(UTC)
                act = profiles.ask_for_validity(session, current_actor(), profile, form.days.data or 0, now=now)
            flash(_("Another administrator must approve. Until then nothing changes."))
            return redirect(url_for("approvals.show", act_id=act.id))
        except Invalid as error:
            form.days.errors = [str(error)]
    with transaction() as session:
        current, history = profiles.in_force(session, profile), profiles.history(session, profile)
    page = render_template(
        "certificates/profile.html",
        profile=current,
        history=history,
        bounds=profiles.BOUNDS[profile],
        form=form,
        words=words,
    )
    return page, 422 if form.is_submitted() else 200
