"""Pages of the register: searching, searches that are kept, the result as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, send_file, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.certificates import exports, register_saved, words
from app.certificates.admin import register_bp
from app.certificates.forms import ActForm
from app.certificates.models import Authority
from app.certificates.register_filters import PROFILES, Filters, Sort, Status, read
from app.certificates.register_search import search as find
from app.core.db import transaction
from app.core.permissions import Actor, Permission, current_actor, needs

# The routes of one certificate stand in `admin`, those of the whole register here.
bp = register_bp


@bp.get("")
@needs(Permission.FIND_CERTIFICATES)
def search() -> ResponseReturnValue:
    """One page of a search; everything that it depends on stands in the address, names excepted."""
    actor, now = current_actor(), datetime.now(UTC)
    filters, wrong = read(request.args)
    with transaction() as session:
        found = find(session, actor, filters, after=_key("after"), before=_key("before"), now=now)
        saved = register_saved.of(session, actor)
        authorities = session.scalars(select(Authority.name).order_by(Authority.name)).all()
    page = render_template(
        "certificates/register.html",
        found=found,
        filters=filters,
        wrong=wrong,
        saved=saved,
        authorities=authorities,
        choices={"state": list(Status), "use": PROFILES, "sort": list(Sort)},
        form=ActForm(),
        may_export=actor.may(Permission.EXPORT_REGISTER),
        may_revoke=actor.may(Permission.REVOKE_CERTIFICATES),
        now=now,
        words=words,
    )
    return page, 422 if wrong else 200


@bp.post("/export")
@needs(Permission.EXPORT_REGISTER)
def export() -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    filters, _wrong = read(request.form)
    kind = exports.Kind.XLSX if request.form.get("format") == exports.Kind.XLSX else exports.Kind.CSV
    with transaction() as session:
        exports.begin(session, actor, filters, kind, now=now)
    name = f"certificates-{now:%Y%m%d-%H%M}.{kind}"
    if kind is exports.Kind.XLSX:
        return _workbook(_lines(actor, filters, now), name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(_csv(actor, filters, now)), mimetype="text/csv", headers=headers)


@bp.get("/searches")
@needs(Permission.FIND_CERTIFICATES)
def searches() -> ResponseReturnValue:
    with transaction() as session:
        saved = register_saved.of(session, current_actor())
    return render_template("certificates/register_searches.html", saved=saved, form=ActForm())


@bp.post("/searches")
@needs(Permission.FIND_CERTIFICATES)
def save() -> ResponseReturnValue:
    filters, _wrong = read(request.form)
    with transaction() as session:
        register_saved.save(session, current_actor(), request.form.get("name", ""), filters, now=datetime.now(UTC))
    flash(_("The search is kept. You find it above the list."))
    return redirect(f"{url_for('.search')}?{urlencode(filters.arguments())}")


@bp.post("/searches/<uuid:search_id>/name")
@needs(Permission.FIND_CERTIFICATES)
def rename(search_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        register_saved.rename(session, current_actor(), search_id, request.form.get("name", ""))
    flash(_("The search has its new name."))
    return redirect(url_for(".searches"))


@bp.post("/searches/<uuid:search_id>/deletion")
@needs(Permission.FIND_CERTIFICATES)
def forget(search_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        register_saved.forget(session, current_actor(), search_id)
    flash(_("The search is deleted. No certificate was changed."))
    return redirect(url_for(".searches"))


def _key(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _lines(actor: Actor, filters: Filters, now: datetime) -> Iterator[list[str]]:
    last: exports.Mark | None = None
    for _chunk in range(exports.LONGEST_CSV // exports.CHUNK):
        with transaction() as session:
            lines, last = exports.chunk(session, actor, filters, last, now=now)
        yield from lines
        if last is None:
            return


def _csv(actor: Actor, filters: Filters, now: datetime) -> Iterator[str]:
    # The mark tells spreadsheet programs that the text is UTF-8.
    yield "\ufeff" + exports.csv_line(exports.heading())
    for line in _lines(actor, filters, now):
        yield exports.csv_line(line)


def _workbook(lines: Iterator[list[str]], name: str) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.xlsx"
        exports.write_xlsx(path, lines)
        # Open until it is sent; the folder may go before.
        return send_file(path.open("rb"), as_attachment=True, download_name=name, mimetype=exports.XLSX_TYPE)
