"""Pages of deputies: what runs, and handing turns over, one's own or those of somebody one administers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Forbidden, Invalid
from app.core.permissions import Actor, Permission, current_actor, signed_in
from app.registry import service as registry
from app.routes import delegations, people
from app.routes.delegations import Handing
from app.routes.forms import ActForm, DelegationForm
from app.routes.models import Act

bp = Blueprint("deputies", __name__, url_prefix="/deputies")
_WHY = "one hands over one's own turns, or administers accounts: the page asks which of the two"


@bp.get("")
@signed_in(_WHY)
def index() -> ResponseReturnValue:
    actor, text, now = _actor(), request.args.get("q", "")[:100], datetime.now(UTC)
    with transaction() as session:
        posts = registry.search_posts(session, actor, Permission.MANAGE_ACCOUNTS, text) if text.strip() else []
        return render_template(
            "routes/deputies.html",
            handed=delegations.shown_to(session, actor, now=now),
            posts=posts,
            text=text,
            manages=actor.may(Permission.MANAGE_ACCOUNTS),
            actor=actor,
            act=ActForm(),
            now=now,
        )


@bp.route("/<uuid:person_id>/new", methods=["GET", "POST"])
@signed_in(_WHY)
def new(person_id: UUID) -> ResponseReturnValue:
    actor, text = _actor(), request.args.get("q", "")[:100]
    form = DelegationForm()
    with transaction() as session:
        person = delegations.find_absent(session, actor, person_id)
        found = [post for post in people.find(session, text, Permission.FOLLOW_ROUTES) if post.person_id != person.id]
        form.deputy.choices = [
            (str(post.person_id), f"{post.person.full_name}, {post.title}, {post.agency.name}") for post in found
        ]
        if not form.validate_on_submit():
            page = render_template(
                "routes/deputy_new.html", form=form, person=person, text=text, found=found, actor=actor
            )
            return page, 422 if form.is_submitted() else 200
    handing = Handing(
        deputy_id=UUID(form.deputy.data),
        first=form.first.data,
        last=form.last.data,
        acts=frozenset(Act(one) for one in form.acts.data),
        reason=form.reason.data,
    )
    try:
        with transaction() as session:
            delegations.hand_over(session, actor, person_id, handing, now=datetime.now(UTC))
    except Invalid as error:
        form.last.errors = [f"{error} {error.next_step or ''}".strip()]
        page = render_template("routes/deputy_new.html", form=form, person=person, text=text, found=found, actor=actor)
        return page, 422
    flash(_("It is handed over. Who acts instead gets an e-mail for each turn."))
    return redirect(url_for(".index"))


@bp.post("/<uuid:delegation_id>/end")
@signed_in(_WHY)
def end(delegation_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        delegations.take_back(session, _actor(), delegation_id, now=datetime.now(UTC))
    flash(_("It is taken back as of now."))
    return redirect(url_for(".index"))


def _actor() -> Actor:
    actor = current_actor()
    if not (actor.may(Permission.FOLLOW_ROUTES) or actor.may(Permission.MANAGE_ACCOUNTS)):
        raise Forbidden(
            _l("Your account is not allowed to open this page."),
            _l("If you need it for your work, ask your agency's administrator."),
        )
    return actor
