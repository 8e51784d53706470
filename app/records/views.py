"""The clerk's pages: what waits for number, date and seal, issuing it, and how far that is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts import step_up
from app.core.db import transaction
from app.core.errors import Invalid
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs
from app.core.running import storage
from app.marks.layout import is_refused
from app.marks.words import breach
from app.records import books_pages, copies, copy_pages, registers, service, words
from app.records.forms import IssueForm
from app.records.kinds import ISSUED_KINDS, Kind, guess, label
from app.records.models import CopyState
from app.records.service import Issuable, Wish
from app.records.statement import SealPlace
from app.routes import service as routes
from pki.pades.placement import Corner

bp = Blueprint("records", __name__, url_prefix="/records")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    books_pages.init(app)
    app.register_blueprint(copy_pages.bp)
    purpose = _l("Number, date and seal on what the head has signed.")
    add_place(app, Place(_l("Issue"), "records.index", Permission.ISSUE_DOCUMENTS, purpose))
    add_waiting(app, _waiting)


@bp.get("")
@needs(Permission.ISSUE_DOCUMENTS)
def index() -> ResponseReturnValue:
    with transaction() as session:
        actor = current_actor()
        return render_template(
            "records/index.html",
            waiting=routes.awaiting_issue(session, actor),
            orders=service.orders(session, actor),
            copies=copies.awaiting(session, actor),
            words=words,
        )


@bp.route("/issue/<uuid:route_id>", methods=["GET", "POST"])
@needs(Permission.ISSUE_DOCUMENTS)
def issue(route_id: UUID) -> ResponseReturnValue:
    form, now = IssueForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _page(route_id, form, now=now), 422 if form.is_submitted() else 200
    with transaction() as session:
        # Committed by itself, like the tries at the door.
        step_up.count_try(session, current_actor(), now=now)
    try:
        with transaction() as session:
            order = service.request_issue(
                session,
                storage(),
                current_actor(),
                route_id,
                _wish(form),
                password=form.password.data or "",
                now=now,
            )
            order_id = order.id if order is not None else None
    except Invalid as error:
        form.symbol.errors = [f"{error} {error.next_step or ''}".strip()]
        return _page(route_id, form, now=now), 422
    if order_id is None:
        form.password.errors = [_("This is not your password. Nothing was issued.")]
        return _page(route_id, form, now=now), 422
    return redirect(url_for(".show_order", request_id=order_id))


@bp.get("/orders/<uuid:request_id>")
@needs(Permission.ISSUE_DOCUMENTS)
def show_order(request_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        order = service.find_request(session, current_actor(), request_id)
        return render_template("records/order.html", order=order, words=words)


def _wish(form: IssueForm) -> Wish:
    if form.kind.data not in ISSUED_KINDS:
        raise Invalid(_l("Choose the kind of document."))
    if form.version.data is None or form.issued_on.data is None:
        raise Invalid(_l("Open the page again and fill it in anew."))
    return Wish(
        route_version=form.version.data,
        kind=Kind(form.kind.data),
        symbol=(form.symbol.data or "").strip(),
        issued_on=form.issued_on.data,
        place=SealPlace(form.page.data or 0, Corner(form.corner.data)),
    )


def _page(route_id: UUID, form: IssueForm, *, now: datetime) -> str:
    with transaction() as session:
        found = service.look_at(session, storage(), current_actor(), route_id, now=now)
        day = registers.today(now)
        kind = _kind(form.kind.data or request.args.get("kind"), found)
        symbol = found.symbol or registers.symbols_of(session, found.route.agency)[kind]
        if not form.is_submitted():
            form.version.data, form.kind.data, form.issued_on.data = found.route.version, kind.value, day
            form.symbol.data = symbol
        expected = registers.expected_number(session, found.route.agency_id, kind, day.year)
        return render_template(
            "records/issue.html",
            form=form,
            found=found,
            route=found.route,
            kind=kind,
            kinds={one: words.KINDS[one] for one in ISSUED_KINDS},
            expected=label(expected, form.symbol.data or symbol),
            day=day,
            breach=breach,
            is_refused=is_refused,
        )


def _kind(wanted: str | None, found: Issuable) -> Kind:
    """Return the kind that was chosen; else the one that the printed symbol or the title begins with."""
    printed = (found.symbol or "").partition("-")[0]
    return next((Kind(one) for one in (wanted, printed) if one in ISSUED_KINDS), guess(found.route.title))


def _waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    if not actor.may(Permission.ISSUE_DOCUMENTS):
        return []
    found = []
    if count := len(routes.awaiting_issue(session, actor)):
        sentence = ngettext(
            "%(num)d document waits for number and seal", "%(num)d documents wait for number and seal", count
        )
        found.append(Waiting(sentence, url_for("records.index"), count))
    asked = [one for one in copies.awaiting(session, actor) if one.state == CopyState.ASKED]
    if asked:
        sentence = ngettext(
            "%(num)d certified copy waits for the seal", "%(num)d certified copies wait for the seal", len(asked)
        )
        found.append(Waiting(sentence, url_for("records.index", _anchor="copies"), len(asked)))
    return found
