"""“My access tokens”: what one gives to a system that acts in one's name, what it may do, and how to end it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts import tokens
from app.accounts.forms import EndTokenForm, TokenForm
from app.accounts.token_words import SCOPES, in_words
from app.core.db import transaction
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, signed_in

bp = Blueprint("tokens", __name__, url_prefix="/account/tokens")
_OWN = "everyone has access tokens of their own and sees nobody else's"


@bp.get("")
@signed_in(_OWN)
def index() -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        found = tokens.of_account(session, actor)
    return render_template("accounts/tokens.html", found=found, in_words=in_words, now=now, soon=now + tokens.SOON)


@bp.route("/new", methods=["GET", "POST"])
@signed_in(_OWN)
def new() -> ResponseReturnValue:
    actor, form = current_actor(), TokenForm()
    form.scopes.choices = [(str(one), words) for one, words in SCOPES.items() if actor.may(one)]
    if not form.validate_on_submit():
        return render_template("accounts/token_new.html", form=form), 422 if form.is_submitted() else 200
    scopes = [Permission(one) for one in form.scopes.data or ()]
    life = timedelta(days=form.days.data)
    with transaction() as session:
        token = tokens.make(session, actor, name=form.name.data, scopes=scopes, life=life, now=datetime.now(UTC))
    # Not redirected: the token is shown in this answer and nowhere else.
    return render_template("accounts/token_made.html", token=token, name=form.name.data.strip())


@bp.route("/<uuid:token_id>/end", methods=["GET", "POST"])
@signed_in(_OWN)
def end(token_id: UUID) -> ResponseReturnValue:
    actor, form = current_actor(), EndTokenForm()
    with transaction() as session:
        found = tokens.find_own(session, actor, token_id)
        if form.validate_on_submit():
            tokens.end(session, actor, token_id, now=datetime.now(UTC))
            flash(_("The token has ended. Whatever uses it is refused from now on."))
            return redirect(url_for(".index"))
        return render_template("accounts/token_end.html", form=form, token=found, in_words=in_words)


def waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    """Return how many tokens of the actor's end soon, for the home page."""
    count = tokens.count_ending(session, actor, now=datetime.now(UTC))
    if count == 0:
        return []
    sentence = ngettext(
        "%(num)s access token of yours ends within two weeks",
        "%(num)s access tokens of yours end within two weeks",
        count,
    )
    return [Waiting(sentence, url_for("tokens.index"), count)]


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("Let a system act in your name, within limits that you choose.")
    add_place(app, Place(_l("My access tokens"), "tokens.index", None, purpose, in_header=False))
    add_waiting(app, waiting)
