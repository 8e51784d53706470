"""Pages of the sealed report: ordering it with the file, waiting for it, saving it. Only one reader has the address."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.errors import NotFound
from app.core.i18n import current_language
from app.core.permissions import public
from app.core.problems import status_of
from app.core.running import settings
from app.core.security import takes_paper
from app.verification import paper, reports, service, words
from app.verification.forms import ReportForm
from app.verification.models import ReportState
from app.verification.reports import Order
from app.verification.source import LARGEST, size_of, source_of
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

bp = Blueprint("check_reports", __name__, url_prefix="/verify/reports")

_A_MINUTE: Final = 5


@bp.route("", methods=["GET", "POST"])
@public("whoever checked a paper may keep a report of it")
@takes_paper
def order() -> ResponseReturnValue:
    """Take the file for a report; without script, or for a file that was too large, this is a page of its own."""
    now = datetime.now(UTC)
    if request.method == "POST":
        with transaction() as session:
            service.count_check(session, f"report-from:{request.remote_addr}", most=_A_MINUTE, now=now)
    form = ReportForm()
    if not form.validate_on_submit():
        return render_template("verification/order.html", form=form), 422 if form.is_submitted() else 200
    try:
        token = _ordered(form, now)
    except PdfRefused as error:
        refusal = words.refusal(PdfFault(error.fault))
        form.paper.errors = [f"{refusal.sentence} {refusal.next_step or ''}".strip()]
        return render_template("verification/order.html", form=form), status_of(refusal)
    return redirect(url_for(".show", token=token), 303)


def _ordered(form: ReportForm, now: datetime) -> str:
    source = source_of(form.paper.data.stream)
    if size_of(source) > LARGEST:
        raise PdfRefused(PdfFault.TOO_LARGE)
    address = f"{settings().web_url}{url_for('verification.start')}"
    wish = Order(source, (form.paper.data.filename or "")[:120], current_language(), address)
    with transaction() as session:
        return reports.order(session, settings(), wish, now=now)


@bp.get("/<token>")
@public("the address is a secret of whoever ordered the report")
def show(token: str) -> ResponseReturnValue:
    """Say how far the report is."""
    try:
        with transaction() as session:
            found = reports.find(session, token, now=datetime.now(UTC))
    except NotFound as error:
        # A page of its own, so that whoever still waits on the one before is told.
        return render_template("verification/report.html", token=token, state="gone", refusal=error)
    refusal = words.refusal(PdfFault(found.fault)) if found.fault else None
    return render_template(
        "verification/report.html",
        token=token,
        state=ReportState(found.state),
        refusal=refusal,
        gone_at=found.asked_at + reports.LIFE,
    )


@bp.get("/<token>/file")
@public("the address is a secret of whoever ordered the report")
def download(token: str) -> ResponseReturnValue:
    """Give the sealed report."""
    now = datetime.now(UTC)
    with transaction() as session:
        content = reports.content(session, settings(), token, now=now)
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=paper.name_of(now))
