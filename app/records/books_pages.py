"""The agencies' books: one for each year, on the screen, on paper and as a file; numbers kept and given up."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from app.records import books, registers, words
from app.records.books import Filter
from app.records.forms import ExplainForm, ReserveForm, SymbolForm
from app.records.kinds import Kind
from app.records.models import EntryState
from app.registry import scope

bp = Blueprint("books", __name__, url_prefix="/books")

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("The numbers of every year: search, print, download.")
    add_place(app, Place(_l("Document register"), "books.index", Permission.FOLLOW_ROUTES, purpose, in_header=False))


@bp.get("")
@needs(*books.READERS)
def index() -> ResponseReturnValue:
    with transaction() as session:
        actor = current_actor()
        return render_template(
            "records/books.html",
            found=books.books(session, actor),
            keeps=books.kept_by(session, actor),
            year=registers.today(datetime.now(UTC)).year,
        )


@bp.get("/<uuid:agency_id>/<int:year>")
@needs(*books.READERS)
def show(agency_id: UUID, year: int) -> ResponseReturnValue:
    wanted = _filter(year)
    with transaction() as session:
        actor = current_actor()
        agency = books.agency_of(session, actor, agency_id)
        return render_template(
            "records/book.html",
            agency=agency,
            wanted=wanted,
            found=books.search(session, agency, wanted, page=request.args.get("page", 1, type=int)),
            given_up=books.given_up(session, agency, year),
            may_keep=scope.covers(session, actor, Permission.ISSUE_DOCUMENTS, agency.id),
            is_open=year == registers.today(datetime.now(UTC)).year,
            words=words,
            kinds=words.KINDS,
        )


@bp.get("/<uuid:agency_id>/<int:year>/print")
@needs(*books.READERS)
def printed(agency_id: UUID, year: int) -> ResponseReturnValue:
    with transaction() as session:
        agency = books.agency_of(session, current_actor(), agency_id)
        entries = books.whole(session, agency, _filter(year))
        return render_template("records/print.html", agency=agency, year=year, entries=entries, words=words)


@bp.get("/<uuid:agency_id>/<int:year>.<any(csv, xlsx):form>")
@needs(*books.READERS)
def export(agency_id: UUID, year: int, form: str) -> Response:
    with transaction() as session:
        agency = books.agency_of(session, current_actor(), agency_id)
        entries = books.whole(session, agency, _filter(year))
        content = books.as_csv(entries) if form == "csv" else books.as_workbook(entries)
    kind = "text/csv; charset=utf-8" if form == "csv" else _WORKBOOK
    name = f"so-van-ban-{agency.code}-{year}.{form}"
    return Response(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.route("/<uuid:agency_id>/reserve", methods=["GET", "POST"])
@needs(Permission.ISSUE_DOCUMENTS)
def reserve(agency_id: UUID) -> ResponseReturnValue:
    form, now = ReserveForm(), datetime.now(UTC)
    with transaction() as session:
        agency = registers.keeper_of(session, current_actor(), agency_id)
        if not form.validate_on_submit():
            page = render_template("records/reserve.html", form=form, agency=agency, day=registers.today(now))
            return page, 422 if form.is_submitted() else 200
        entry = registers.reserve(
            session,
            current_actor(),
            agency.id,
            Kind(form.kind.data),
            subject=form.subject.data or "",
            recipients=form.recipients.data or "",
            now=now,
        )
        written, year = entry.label, entry.issued_on.year
    flash(_("The number %(number)s is kept. Write it on the paper document.", number=written))
    return redirect(url_for(".show", agency_id=agency_id, year=year))


@bp.route("/entries/<uuid:entry_id>/explain", methods=["GET", "POST"])
@needs(Permission.ISSUE_DOCUMENTS)
def explain(entry_id: UUID) -> ResponseReturnValue:
    form, now = ExplainForm(), datetime.now(UTC)
    with transaction() as session:
        entry = registers.find(session, current_actor(), entry_id, Permission.ISSUE_DOCUMENTS)
        if not form.validate_on_submit():
            page = render_template("records/explain.html", form=form, entry=entry, words=words)
            return page, 422 if form.is_submitted() else 200
        registers.explain(session, current_actor(), entry_id, explanation=form.explanation.data or "", now=now)
        address = url_for(".show", agency_id=entry.series.agency_id, year=entry.series.year)
    flash(_("The number stays in the book, with your explanation."))
    return redirect(address)


@bp.route("/<uuid:agency_id>/symbols", methods=["GET", "POST"])
@needs(Permission.ISSUE_DOCUMENTS)
def symbols(agency_id: UUID) -> ResponseReturnValue:
    form = SymbolForm()
    with transaction() as session:
        agency = registers.keeper_of(session, current_actor(), agency_id)
        if not form.validate_on_submit():
            page = render_template(
                "records/symbols.html",
                form=form,
                agency=agency,
                symbols=registers.symbols_of(session, agency),
                kinds=words.KINDS,
            )
            return page, 422 if form.is_submitted() else 200
        registers.choose_symbol(
            session,
            current_actor(),
            agency.id,
            Kind(form.kind.data),
            (form.symbol.data or "").strip(),
            now=datetime.now(UTC),
        )
    flash(_("The symbol is kept. It stands behind the numbers from now on."))
    return redirect(url_for(".symbols", agency_id=agency_id))


def _filter(year: int) -> Filter:
    kind, state = request.args.get("kind"), request.args.get("state")
    return Filter(
        year,
        request.args.get("q", "")[:200],
        Kind(kind) if kind in list(Kind) else None,
        EntryState(state) if state in list(EntryState) else None,
    )
