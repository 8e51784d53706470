"""The public check of a PDF: no account, nothing kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.permissions import public
from app.core.problems import status_of
from app.core.security import takes_paper
from app.interface import views as interface
from app.trust import service as trust
from app.verification import api, invitation_letters, page, report_pages, service, words
from app.verification.forms import CheckForm, ReportForm
from app.verification.registered import recognise
from app.verification.source import LARGEST, Source, size_of, source_of
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

bp = Blueprint("verification", __name__)

_A_MINUTE: Final = 10


@bp.route("/verify", methods=["GET", "POST"])
@public("trust needs no account: whoever receives a paper may check it")
@takes_paper
def start() -> ResponseReturnValue:
    now = datetime.now(UTC)
    if request.method == "POST":
        # Counted by itself: what is refused takes time too.
        with transaction() as session:
            service.count_check(session, f"from:{request.remote_addr}", most=_A_MINUTE, now=now)
    form = CheckForm()
    if not form.validate_on_submit():
        return render_template("verification/start.html", form=form), 422 if form.is_submitted() else 200
    try:
        return _answer(source_of(form.file.data.stream), (form.file.data.filename or "")[:120], now)
    except PdfRefused as error:
        refusal = words.refusal(PdfFault(error.fault))
        form.file.errors = [f"{refusal.sentence} {refusal.next_step or ''}".strip()]
        return render_template("verification/start.html", form=form), status_of(refusal)


def _answer(source: Source, file_name: str, now: datetime) -> str:
    if size_of(source) > LARGEST:
        raise PdfRefused(PdfFault.TOO_LARGE)
    with transaction() as session:
        evidence = service.wider_evidence(session, source, now=now)
        kinds = trust.kinds(session)
    report = service.check(source, evidence, now=now, with_pictures=True)
    with transaction() as session:
        facts = api.described(session, report, source, now=now)
        note = page.register_note(recognise(session, source)) or invitation_letters.note_of(session, source, now=now)
    return render_template(
        "verification/result.html",
        form=CheckForm(formdata=None),
        answer=words.answer(report, kinds),
        changed_pages=page.changed_pages(report.page_differences),
        register_note=note,
        technical=page.technical(facts),
        kept_files=page.kept_files(facts),
        keepers_form=ReportForm(formdata=None),
        sha256=facts.sha256,
        file_name=file_name,
        checked_at=now,
    )


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(report_pages.bp)
    interface.register(app, api.operations)
