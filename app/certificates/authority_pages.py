"""Pages of the authorities in `web`: what there is; asking for the next generation or the end of one. No key here."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired

from app.certificates import authorities, authority_acts, authority_generations, words
from app.certificates.forms import ActForm
from app.core.db import transaction
from app.core.errors import NotFound
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from pki.revocation import RevocationReason

bp = Blueprint("authorities", __name__, url_prefix="/authority/authorities")


class EndForm(FlaskForm):
    reason = RadioField(_l("Why is it revoked?"), coerce=int, validators=[InputRequired(_l("Choose a reason."))])
    confirmation = StringField(
        _l("Type the name of the authority"), validators=[InputRequired(_l("Type the name of the authority."))]
    )

    def __init__(self) -> None:
        super().__init__()
        self.reason.choices = [(int(one), words.REASONS[one]) for one in authority_generations.REASONS]


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("Their generations, until when they issue, and making the next one.")
    add_place(
        app, Place(_l("Authorities"), "authorities.index", Permission.REVOKE_CERTIFICATES, purpose, in_header=False)
    )


@bp.get("/")
@needs(Permission.REVOKE_CERTIFICATES)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = authorities.all_authorities(session)
        until = {one.name: authorities.issues_until(one) for one in found if one.issuer_id is not None}
    return render_template("certificates/authorities.html", found=found, until=until)


@bp.get("/<name>")
@needs(Permission.REVOKE_CERTIFICATES)
def show(name: str) -> ResponseReturnValue:
    return _page(name, EndForm())


@bp.post("/<name>/next")
@needs(Permission.REVOKE_CERTIFICATES)
def roll_over(name: str) -> ResponseReturnValue:
    with transaction() as session:
        act = authority_acts.ask_to_roll_over(session, current_actor(), name, now=datetime.now(UTC))
    flash(_("Another administrator must approve. Until then nothing changes."))
    return redirect(url_for("approvals.show", act_id=act.id))


@bp.post("/<name>/revoke")
@needs(Permission.REVOKE_CERTIFICATES)
def revoke(name: str) -> ResponseReturnValue:
    form = EndForm()
    if not form.validate_on_submit():
        return _page(name, form)
    if form.confirmation.data != name:
        form.confirmation.errors = [_("This is not the name of the authority.")]
        return _page(name, form)
    with transaction() as session:
        reason = RevocationReason(form.reason.data)
        act = authority_acts.ask_to_revoke(session, current_actor(), name, reason, now=datetime.now(UTC))
    flash(_("Another administrator must approve. Until then nothing changes."))
    return redirect(url_for("approvals.show", act_id=act.id))


def _page(name: str, form: EndForm) -> ResponseReturnValue:
    with transaction() as session:
        found = next((one for one in authorities.all_authorities(session) if one.name == name), None)
    if found is None or found.issuer_id is None:
        raise NotFound(_l("There is no such authority."))
    page = render_template(
        "certificates/authority.html", one=found, until=authorities.issues_until(found), form=form, next_form=ActForm()
    )
    return page, 422 if form.is_submitted() else 200
