"""The public check of a PDF: no account, nothing kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

from flask import Blueprint, Flask, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import TooMany
from app.core.permissions import public
from app.core.problems import status_of
from app.core.running import settings
from app.core.security import takes_upload
from app.core.throttle import may_pass
from app.core.timestamping import timestamper
from app.interface import views as interface
from app.trust import service as trust
from app.verification import api, page, paper, service, words
from app.verification.forms import CheckForm, PaperForm
from app.verification.registered import recognise
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

bp = Blueprint("verification", __name__)

_LARGEST_PDF = 25 * 1024 * 1024


@bp.route("/verify", methods=["GET", "POST"])
@public("trust needs no account: whoever receives a paper may check it")
@takes_upload
def start() -> ResponseReturnValue:
    form = CheckForm()
    if request.method == "POST":
        _count_try()
    if not form.validate_on_submit():
        return render_template("verification/start.html", form=form), 422 if form.is_submitted() else 200
    now = datetime.now(UTC)
    try:
        pdf = form.file.data.stream.read(_LARGEST_PDF + 1)
        if len(pdf) > _LARGEST_PDF:
            raise PdfRefused(PdfFault.TOO_LARGE)
        with transaction() as session:
            evidence = service.wider_evidence(session, pdf, now=now)
            kinds = trust.kinds(session)
        report = service.check(pdf, evidence, now=now, with_pictures=True)
    except PdfRefused as error:
        refusal = words.refusal(PdfFault(error.fault))
        form.file.errors = [f"{refusal.sentence} {refusal.next_step or ''}".strip()]
        return render_template("verification/start.html", form=form), status_of(refusal)
    with transaction() as session:
        facts = api.described(session, report, pdf, now=now)
        registered = recognise(session, pdf)
    answer, note = words.answer(report, kinds), page.register_note(registered)
    changed = page.changed_pages(report.page_differences)
    technical, file_name = page.technical(facts), (form.file.data.filename or "")[:120]
    address = f"{settings().web_url}{url_for('.start')}"
    text = paper.text_of(answer, facts, note, changed, technical, file_name=file_name, address=address)
    return render_template(
        "verification/result.html",
        form=CheckForm(formdata=None),
        answer=answer,
        changed_pages=changed,
        register_note=note,
        technical=technical,
        kept_files=page.kept_files(facts),
        paper_form=PaperForm(formdata=None, text=paper.seal_text(settings(), text)),
        sha256=facts.sha256,
        file_name=file_name,
        checked_at=now,
    )


@bp.post("/verify/report")
@public("whoever checked a paper may keep the report")
def report_paper() -> ResponseReturnValue:
    """Make a report of the page before into a PDF with the city's timestamp; nothing of it is kept."""
    _count_try()
    form = PaperForm()
    if not form.validate_on_submit():
        return redirect(url_for(".start"))
    content = paper.stamped(settings(), form.text.data, timestamp=timestamper(settings()))
    name = paper.name_of(datetime.now(UTC))
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)


def _count_try() -> None:
    """Raise TooMany after ten a minute from one address; each check takes up to a second of a core."""
    with transaction() as session:
        passes = may_pass(
            session,
            f"verify-from:{request.remote_addr}",
            limit=10,
            per=timedelta(minutes=1),
            now=datetime.now(UTC),
        )
    if not passes:
        raise TooMany(_l("There were too many checks from your network."), _l("Wait a minute, then try again."))


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    interface.register(app, api.operations)
