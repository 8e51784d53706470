"""Pages of the archive: what is due when, runs, single documents, and whether one will verify on a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Final
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.archive import forecast, listing, runs, service, words
from app.archive.forms import DayForm, RunForm
from app.archive.listing import Shown
from app.core.db import transaction
from app.core.i18n import local
from app.core.navigation import Place, add_place
from app.core.permissions import Actor, Permission, current_actor, needs, signed_in
from app.core.running import storage
from app.registry import scope
from pki.errors import PdfRefused

bp = Blueprint("archive", __name__, url_prefix="/archive")
_MOST_MONTHS: Final = 60


@bp.get("/")
@needs(Permission.READ_ARCHIVE)
def index() -> ResponseReturnValue:
    return _page(RunForm(formdata=None))


@bp.get("/progress")
@needs(Permission.READ_ARCHIVE)
def show_progress() -> ResponseReturnValue:
    """The part of the page that is fetched again by itself."""
    with transaction() as session:
        return render_template("archive/progress.html", **_moving(session, current_actor()))


@bp.post("/runs")
@needs(Permission.RUN_ARCHIVE)
def start() -> ResponseReturnValue:
    form, now = RunForm(), datetime.now(UTC)
    if not form.validate_on_submit() or form.before.data is None:
        return _page(form, status=422)
    with transaction() as session:
        run = runs.start(session, current_actor(), due_before=_beginning(form.before.data), now=now)
    if run is None:
        flash(_("Nothing is due before that day. Nothing was begun."))
    else:
        flash(_("The renewal has begun. You can leave this page; it goes on."))
    return redirect(url_for(".index"))


@bp.post("/runs/<uuid:run_id>/pause")
@needs(Permission.RUN_ARCHIVE)
def pause(run_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        runs.pause(session, current_actor(), run_id)
    flash(_("The renewal stops after what it has in hand."))
    return redirect(url_for(".index"))


@bp.post("/runs/<uuid:run_id>/resume")
@needs(Permission.RUN_ARCHIVE)
def resume(run_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        runs.resume(session, current_actor(), run_id)
    flash(_("The renewal goes on."))
    return redirect(url_for(".index"))


@bp.get("/documents")
@needs(Permission.READ_ARCHIVE)
def show_list() -> ResponseReturnValue:
    text, shown = _asked()
    with transaction() as session:
        found = listing.search(
            session, current_actor(), text, shown, page=request.args.get("page", 1, int), now=datetime.now(UTC)
        )
        return render_template("archive/list.html", found=found, q=text, shown=shown, words=words)


@bp.get("/documents.csv")
@needs(Permission.READ_ARCHIVE)
def export() -> Response:
    text, shown = _asked()
    with transaction() as session:
        content = "".join(listing.table(session, current_actor(), text, shown, now=datetime.now(UTC)))
    headers = {"Content-Disposition": 'attachment; filename="kho-luu-tru.csv"'}
    return Response(content, content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/documents/<uuid:document_id>")
@signed_in("service.find shows nobody what they may not see")
def document(document_id: UUID) -> ResponseReturnValue:
    form, now, answer = DayForm(request.args if "on" in request.args else None), datetime.now(UTC), None
    with transaction() as session:
        found, entry = service.find(session, current_actor(), document_id)
        refused = False
        if form.on.data is not None and form.validate():
            path = storage().path_of(found.newest.sha256)
            try:
                answer = forecast.ask(session, path, now=now, at=_beginning(form.on.data))
            except PdfRefused:
                refused = True
        asked = "on" in request.args
        status = 422 if asked and answer is None and not refused else 200
        return render_template(
            "archive/document.html", document=found, entry=entry, form=form, answer=answer, refused=refused, words=words
        ), status


def _page(form: RunForm, *, status: int = 200) -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        due = list(islice(_by_month(session, actor), _MOST_MONTHS))
        if form.before.data is None:
            form.before.data = local(now).date()
        return render_template(
            "archive/index.html",
            form=form,
            counts=listing.counts(session, actor, now=now),
            due=due,
            chart={
                "labels": [label for label, _count in due],
                "values": [count for _label, count in due],
                "columns": True,
                "tone": "action",
            },
            runs=[(one, runs.progress(session, one, now=now)) for one in runs.newest(session)],
            **_moving(session, actor),
        ), status


def _moving(session: Session, actor: Actor) -> dict[str, object]:
    run = runs.current(session)
    return {
        "run": run,
        "progress": runs.progress(session, run, now=datetime.now(UTC)) if run else None,
        "may_run": scope.covers(session, actor, Permission.RUN_ARCHIVE, None),
        "words": words,
    }


def _by_month(session: Session, actor: Actor) -> Iterator[tuple[str, int]]:
    for at, count in listing.months(session, actor):
        yield f"{local(at):%m/%Y}", count


def _asked() -> tuple[str, Shown]:
    wanted = request.args.get("shown", "")
    return request.args.get("q", "")[:200], Shown(wanted) if wanted in set(Shown) else Shown.ALL


def _beginning(day: date) -> datetime:
    """Return when a day begins here."""
    return datetime.combine(day, time(), local(datetime.now(UTC)).tzinfo).astimezone(UTC)


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    add_place(
        app,
        Place(
            _l("Archive"),
            "archive.index",
            Permission.READ_ARCHIVE,
            _l("Until when the proofs of signed documents hold, and having them renewed."),
            in_header=False,
        ),
    )
