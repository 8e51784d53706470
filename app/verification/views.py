"""The public check of a PDF: no account, nothing kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import TooMany
from app.core.permissions import public
from app.core.problems import status_of
from app.core.security import takes_upload
from app.core.throttle import may_pass
from app.interface import views as interface
from app.trust import service as trust
from app.verification import api, page, service, words
from app.verification.forms import CheckForm
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
    return render_template(
        "verification/result.html",
        form=CheckForm(formdata=None),
        answer=words.answer(report, kinds),
        changed_pages=page.changed_pages(report.page_differences),
        register_note=page.register_note(registered),
        technical=page.technical(facts),
        kept_files=page.kept_files(facts),
        sha256=facts.sha256,
        file_name=(form.file.data.filename or "")[:120],
        checked_at=now,
    )


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
