"""Pages of agencies' seals: which one each has, what it was used for, and asking for one. No key here."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm

from app.core.db import transaction
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from app.registry import scope
from app.seals import acts, service

bp = Blueprint("seals", __name__, url_prefix="/seals")


class AskForm(FlaskForm):
    """Only the form token."""


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("Which agency has a valid seal, and what each was used for.")
    for permission in (Permission.ISSUE_DOCUMENTS, Permission.MANAGE_PROFILES):
        add_place(app, Place(_l("Agencies' seals"), "seals.index", permission, purpose, in_header=False))


@bp.get("")
@needs(*service.READERS)
def index() -> ResponseReturnValue:
    text, now = request.args.get("q", "")[:200], datetime.now(UTC)
    with transaction() as session:
        page = request.args.get("page", 1, type=int)
        standings, found = service.standings(session, current_actor(), text, page=page, now=now)
        return render_template("seals/index.html", standings=standings, found=found, text=text)


@bp.get("/<uuid:agency_id>")
@needs(*service.READERS)
def show(agency_id: UUID) -> ResponseReturnValue:
    text, now = request.args.get("q", "")[:200], datetime.now(UTC)
    with transaction() as session:
        actor = current_actor()
        agency = service.agency_of(session, actor, agency_id)
        return render_template(
            "seals/show.html",
            standing=service.standing(session, agency, now=now),
            seals=service.seals_of(session, agency.id),
            found=service.uses(session, agency, text, page=request.args.get("page", 1, type=int)),
            text=text,
            form=AskForm(),
            may_ask=scope.covers(session, actor, Permission.MANAGE_PROFILES, agency.id),
            may_picture=scope.covers(session, actor, Permission.MANAGE_SEALS, agency.id),
        )


@bp.get("/<uuid:agency_id>/uses.csv")
@needs(*service.READERS)
def export(agency_id: UUID) -> Response:
    with transaction() as session:
        agency = service.agency_of(session, current_actor(), agency_id)
        content = service.export(session, agency, request.args.get("q", "")[:200])
    name = f"dau-co-quan-{agency.code}.csv"
    return Response(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.post("/<uuid:agency_id>/ask")
@needs(Permission.MANAGE_PROFILES)
def ask(agency_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        actor = current_actor()
        agency = service.agency_of(session, actor, agency_id)
        act = acts.ask(session, actor, agency, now=datetime.now(UTC))
    flash(_("Another administrator must approve. Until then nothing changes."))
    return redirect(url_for("approvals.show", act_id=act.id))
