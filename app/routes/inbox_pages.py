"""Pages of incoming papers: the list of an agency, one paper, and acknowledging, assigning and finishing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission, current_actor, needs
from app.routes import dispatch, inbox, paper_files, words
from app.routes.dispatch_models import DispatchState
from app.routes.forms import ActForm, AssignForm
from app.routes.holding import NO_PAPER

bp = Blueprint("inbox", __name__, url_prefix="/inbox")


@bp.get("")
@needs(Permission.FOLLOW_ROUTES)
def index() -> ResponseReturnValue:
    text, states = _filter()
    with transaction() as session:
        found = inbox.search(session, current_actor(), text, states, page=request.args.get("page", 1, type=int))
        return render_template(
            "routes/inbox.html", found=found, text=text, state=request.args.get("state", ""), words=words
        )


@bp.get("/inbox.csv")
@needs(Permission.FOLLOW_ROUTES)
def export() -> Response:
    text, states = _filter()
    with transaction() as session:
        content = inbox.export(session, current_actor(), text, states)
    return Response(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="van-ban-den.csv"'},
    )


@bp.get("/<uuid:dispatch_id>")
@needs(Permission.FOLLOW_ROUTES)
def show(dispatch_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        actor = current_actor()
        found = dispatch.find(session, actor, dispatch_id)
        dispatch.opened(session, actor, found, now=datetime.now(UTC))
        session.expire(found, ["events"])
        form = AssignForm(formdata=None)
        form.person.choices = [(str(one.id), one.full_name) for one in inbox.colleagues(session, found.agency_id)]
        return render_template("routes/received.html", found=found, form=form, act=ActForm(), words=words)


@bp.post("/<uuid:dispatch_id>/<any(receive, finish):act>")
@needs(Permission.FOLLOW_ROUTES)
def move(dispatch_id: UUID, act: str) -> ResponseReturnValue:
    with transaction() as session:
        change = dispatch.receive if act == "receive" else dispatch.finish
        change(session, current_actor(), dispatch_id, now=datetime.now(UTC))
    flash(_("The sender sees now that you received it.") if act == "receive" else _("It is dealt with."))
    return redirect(url_for(".show", dispatch_id=dispatch_id))


@bp.post("/<uuid:dispatch_id>/assign")
@needs(Permission.FOLLOW_ROUTES)
def assign(dispatch_id: UUID) -> ResponseReturnValue:
    try:
        person_id = UUID(request.form.get("person", ""))
    except ValueError as error:
        raise Invalid(_l("Choose one of the list."), _l("Search again if the list is empty.")) from error
    with transaction() as session:
        dispatch.assign(session, current_actor(), dispatch_id, person_id=person_id, now=datetime.now(UTC))
    flash(_("It is assigned. It waits for that person on their home page."))
    return redirect(url_for(".show", dispatch_id=dispatch_id))


@bp.get("/<uuid:dispatch_id>/documents/<uuid:document_id>")
@needs(Permission.FOLLOW_ROUTES)
def download(dispatch_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Send the issued version of a paper; whoever loads it has opened it."""
    with transaction() as session:
        actor = current_actor()
        found = dispatch.find(session, actor, dispatch_id)
        paper = next((one for one in found.route.papers if one.document_id == document_id), None)
        if paper is None:
            raise NotFound(NO_PAPER)
        dispatch.opened(session, actor, found, now=datetime.now(UTC))
        return paper_files.issued(paper)


def _filter() -> tuple[str, Sequence[DispatchState]]:
    state = request.args.get("state", "")
    known = {one.value for one in DispatchState}
    states: Sequence[DispatchState] = [DispatchState(state)] if state in known else []
    return request.args.get("q", "")[:200], inbox.NEW if state == "new" else states
