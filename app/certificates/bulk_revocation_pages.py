"""Pages of bulk revocation: the list, its dry run, asking the second person, the progress, the file of results."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.approvals.models import Act, ActState
from app.certificates import bulk_revocation, posts, register_filters, words
from app.certificates.bulk_revocation import Wish
from app.certificates.exports import harmless
from app.certificates.forms import ActForm, BulkForm
from app.certificates.life_models import BulkKind, BulkRevocation, BulkState
from app.certificates.register_search import matching_ids
from app.core.db import transaction
from app.core.permissions import Permission, current_actor, needs
from app.core.security import takes_upload
from pki.revocation import RevocationReason

bp = Blueprint("certificates_bulk", __name__, url_prefix="/certificates/lists")
_LINES_AT_ONCE: Final = 5_000
_ENDED: Final = (ActState.REFUSED, ActState.WITHDRAWN, ActState.EXPIRED, ActState.FAILED)


@dataclass(frozen=True)
class Progress:
    """Figures of one look at a list; `rate` a second and `left` are None while they are not known."""

    done: int
    total: int
    percent: int
    rate: float | None
    left: timedelta | None


@bp.get("")
@needs(Permission.REVOKE_CERTIFICATES)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = [(one, _act(session.get(Act, one.act_id) if one.act_id else None, one))
                 for one in bulk_revocation.newest(session, current_actor())]  # fmt: skip
    return render_template("certificates/bulk_index.html", found=found, words=words)


@bp.get("/new")
@needs(Permission.REVOKE_CERTIFICATES)
def new() -> ResponseReturnValue:
    return _new_page(BulkForm(from_search=_source() is not None)), 200


@bp.post("/new")
@needs(Permission.REVOKE_CERTIFICATES)
@takes_upload
def draft() -> ResponseReturnValue:
    actor, now, source = current_actor(), datetime.now(UTC), _source()
    form = BulkForm(from_search=source is not None)
    if not form.validate_on_submit():
        return _new_page(form), 422
    kind = BulkKind(form.kind.data)
    wish = Wish(
        kind,
        RevocationReason(form.reason.data) if kind is BulkKind.REVOKE else None,
        form.since if kind is BulkKind.REVOKE else None,
    )
    with transaction() as session:
        if source == "search":
            chosen = matching_ids(session, actor, register_filters.read(request.args)[0], now=now)
            made = bulk_revocation.draft_chosen(session, actor, chosen, wish, source=source, now=now)
        elif source == "proposals":
            chosen = posts.pending_certificates(actor)
            made = bulk_revocation.draft_chosen(session, actor, chosen, wish, source=source, now=now)
        else:
            made = bulk_revocation.draft_list(session, actor, form.text, wish, now=now)
    return redirect(url_for(".show", bulk_id=made.id))


@bp.get("/<uuid:bulk_id>")
@needs(Permission.REVOKE_CERTIFICATES)
def show(bulk_id: UUID) -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        bulk = bulk_revocation.find(session, current_actor(), bulk_id)
        act = session.get(Act, bulk.act_id) if bulk.act_id else None
        return render_template(
            "certificates/bulk.html",
            bulk=bulk,
            act=act,
            state=_act(act, bulk),
            findings=bulk_revocation.findings(session, bulk),
            ready=bulk_revocation.sample(session, bulk, ready=True),
            others=bulk_revocation.sample(session, bulk, ready=False),
            touched=bulk_revocation.consequences(session, bulk, now=now) if bulk.state == BulkState.DRAFT else [],
            progress=_progress(bulk, now),
            form=ActForm(),
            words=words,
        )


@bp.get("/<uuid:bulk_id>/progress")
@needs(Permission.REVOKE_CERTIFICATES)
def show_progress(bulk_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        bulk = bulk_revocation.find(session, current_actor(), bulk_id)
        act = session.get(Act, bulk.act_id) if bulk.act_id else None
        state = _act(act, bulk)
    progress = _progress(bulk, datetime.now(UTC))
    return render_template("certificates/bulk_progress.html", bulk=bulk, state=state, progress=progress, words=words)


@bp.post("/<uuid:bulk_id>/submit")
@needs(Permission.REVOKE_CERTIFICATES)
def submit(bulk_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        bulk_revocation.submit(session, current_actor(), bulk_id, now=datetime.now(UTC))
    flash(_("The list is submitted. Another administrator finds it among the approvals; it begins when they approve."))
    return redirect(url_for(".show", bulk_id=bulk_id))


@bp.post("/<uuid:bulk_id>/undo")
@needs(Permission.REVOKE_CERTIFICATES)
def undo(bulk_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        made = bulk_revocation.draft_undo(session, current_actor(), bulk_id, now=datetime.now(UTC))
    return redirect(url_for(".show", bulk_id=made.id))


@bp.get("/<uuid:bulk_id>/results.csv")
@needs(Permission.REVOKE_CERTIFICATES)
def results(bulk_id: UUID) -> Response:
    with transaction() as session:
        bulk_revocation.find(session, current_actor(), bulk_id)
    headers = {"Content-Disposition": f'attachment; filename="{bulk_id}.csv"'}
    return Response(stream_with_context(_lines(bulk_id)), mimetype="text/csv; charset=utf-8", headers=headers)


def _lines(bulk_id: UUID) -> Iterator[str]:
    yield "\ufeff" + _line([_("Number"), _("What was found"), _("Result")])
    after = 0
    while True:
        with transaction() as session:
            bulk = bulk_revocation.find(session, current_actor(), bulk_id)
            rows = bulk_revocation.results(session, bulk, after=after, many=_LINES_AT_ONCE)
        outcomes = {None: "", True: _("changed"), False: _("not changed")}
        for row in rows:
            yield _line([row.given, str(words.FINDINGS[row.finding]), outcomes[row.changed]])
        if len(rows) < _LINES_AT_ONCE:
            return
        after = rows[-1].number


def _line(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([harmless(cell) for cell in cells])
    return written.getvalue()


def _source() -> str | None:
    """Return where the list comes from: proposals, a search in the address, or None for one that is given."""
    if request.args.get("from") == "proposals":
        return "proposals"
    return "search" if register_filters.read(request.args)[0].narrows else None


def _new_page(form: BulkForm) -> str:
    source = _source()
    filters = register_filters.read(request.args)[0]
    return render_template("certificates/bulk_new.html", form=form, source=source, filters=filters, kinds=BulkKind)


def _act(act: Act | None, bulk: BulkRevocation) -> BulkState:
    """Return the state as people see it: a list whose act came to nothing is not done."""
    ended = act is not None and act.state_at(datetime.now(UTC)) in _ENDED
    return BulkState.CANCELLED if bulk.state == BulkState.SUBMITTED and ended else BulkState(bulk.state)


def _progress(bulk: BulkRevocation, now: datetime) -> Progress:
    done, total = bulk.changed + bulk.skipped, max(bulk.ready, 1)
    spent = ((bulk.finished_at or now) - bulk.started_at).total_seconds() if bulk.started_at else 0
    rate = done / spent if done and spent > 0 else None
    left = timedelta(seconds=(bulk.ready - done) / rate) if rate and bulk.state == BulkState.RUNNING else None
    return Progress(done, bulk.ready, 100 * done // total, rate, left)
