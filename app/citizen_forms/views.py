"""Pages of citizens: which forms there are, filling one in, signing and sending it, and how it stands."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates.models import Certificate
from app.citizen_forms import inbox, inbox_pages, letters, published, service
from app.citizen_forms.forms import ActForm, AnswerForm
from app.citizen_forms.models import CitizenForm, Submission, SubmissionState
from app.citizen_forms.service import Unfillable
from app.core.db import transaction
from app.core.errors import TooMany
from app.core.i18n import moment
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs, public
from app.core.running import settings, storage
from app.core.throttle import may_pass
from app.documents import service as documents
from app.signing import service as signing
from app.verification import service as verification

bp = Blueprint("forms", __name__, url_prefix="/forms")

# Where the mark stands on a form that has no field for a signature: as on the signing page.
_USUAL_PLACE: Final = {"corner": "bottom_right", "xMm": 20, "yMm": 40}


@bp.get("/")
@public("everybody may see which forms the city's agencies offer")
def index() -> ResponseReturnValue:
    text = request.args.get("q", "")[:200]
    with transaction() as session:
        return render_template("citizen_forms/index.html", forms=published.offered(session, text), text=text)


@bp.get("/<uuid:form_id>")
@public("everybody may see what a form asks")
def show(form_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        form = published.find(session, form_id)
        return render_template("citizen_forms/show.html", form=form, questions=published.questions(form))


@bp.get("/<uuid:form_id>/blank")
@public("whoever wants to fill it in by hand takes it along")
def blank(form_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        form = published.find(session, form_id)
        sha256, title = form.pdf_sha256, form.title
    return send_file(
        BytesIO(storage().get(sha256)), mimetype="application/pdf", as_attachment=True, download_name=f"{title}.pdf"
    )


@bp.route("/<uuid:form_id>/fill", methods=["GET", "POST"])
@needs(Permission.SIGN_FORMS)
def fill(form_id: UUID) -> ResponseReturnValue:
    """Ask the form's questions; `from` names an earlier form of one's own whose answers are a beginning."""
    actor = current_actor()
    earlier = request.args.get("from", type=UUID)
    with transaction() as session:
        asked = published.find_offered(session, form_id)
        known = service.find_own(session, actor, earlier).answers if earlier is not None else {}
    form = AnswerForm.asking(published.questions(asked), known)
    pdf = _filled(form, asked, actor)
    if pdf is None:
        return _fill_page(form, asked, None)
    with transaction() as session:
        submission = service.begin(
            session, storage(), actor, form_id, answers=form.answers(), pdf=pdf, now=datetime.now(UTC)
        )
    return redirect(url_for(".submission", submission_id=submission.id))


@bp.get("/submissions")
@needs(Permission.SIGN_FORMS)
def submissions() -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        query = select(Submission).where(Submission.person_id == actor.person_id)
        found = session.scalars(query.order_by(Submission.filled_at.desc()).limit(200)).unique().all()
        return render_template("citizen_forms/submissions.html", submissions=found)


@bp.get("/submissions/<uuid:submission_id>")
@needs(Permission.SIGN_FORMS)
def submission(submission_id: UUID) -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        found = service.find_own(session, actor, submission_id)
        signed = service.is_signed(found)
        signs_now = found.state == SubmissionState.DRAFT and not signed
        certificates = signing.usable_certificates(session, actor, now=now) if signs_now else []
        return render_template(
            "citizen_forms/submission.html",
            submission=found,
            signed=signed,
            questions=published.questions(found.form),
            certificates=certificates,
            page_data=_sign_data(found, certificates) if signs_now else None,
            act=ActForm(),
        )


@bp.get("/submissions/<uuid:submission_id>/content")
@needs(Permission.SIGN_FORMS)
def content(submission_id: UUID) -> ResponseReturnValue:
    """Send the paper of one's own form: as an attachment, so that nobody's browser opens it here."""
    with transaction() as session:
        found = service.find_own(session, current_actor(), submission_id)
        sha256, name = found.document.newest.sha256, f"{found.reference}.pdf"
    return send_file(BytesIO(storage().get(sha256)), mimetype="application/pdf", as_attachment=True, download_name=name)


@bp.route("/submissions/<uuid:submission_id>/change", methods=["GET", "POST"])
@needs(Permission.SIGN_FORMS)
def change(submission_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        found = service.find_own(session, actor, submission_id)
        service.refuse_unless_unsigned(found)
        asked, known = found.form, found.answers
    form = AnswerForm.asking(published.questions(asked), known)
    pdf = _filled(form, asked, actor)
    if pdf is None:
        return _fill_page(form, asked, submission_id)
    with transaction() as session:
        service.change(session, storage(), actor, submission_id, answers=form.answers(), pdf=pdf, now=datetime.now(UTC))
    return redirect(url_for(".submission", submission_id=submission_id))


@bp.post("/submissions/<uuid:submission_id>/send")
@needs(Permission.SIGN_FORMS)
def send(submission_id: UUID) -> ResponseReturnValue:
    """Check the signed form as anybody would, and hand it over."""
    actor, now = current_actor(), datetime.now(UTC)
    _throttle(actor)
    with transaction() as session:
        found = service.find_own(session, actor, submission_id)
        sha256 = found.document.newest.sha256
        pdf = storage().get(sha256)
        evidence = verification.evidence(session, pdf)
    report = verification.check(pdf, evidence, now=now)
    with transaction() as session:
        if service.send(session, actor, submission_id, version_sha256=sha256, report=report, now=now):
            found = service.find_own(session, actor, submission_id)
            letters.queue(session, settings(), found, "received", now=now)
    return redirect(url_for(".submission", submission_id=submission_id))


@bp.post("/submissions/<uuid:submission_id>/withdraw")
@needs(Permission.SIGN_FORMS)
def withdraw(submission_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.withdraw(session, current_actor(), submission_id, now=datetime.now(UTC))
    flash(_("The form is withdrawn. Nobody works on it any more."))
    return redirect(url_for(".submission", submission_id=submission_id))


def _filled(form: AnswerForm, asked: CitizenForm, actor: Actor) -> bytes | None:
    """Return the paper with the answers of a form that was sent; None if there is something to ask again."""
    if not form.validate_on_submit():
        return None
    _throttle(actor)
    try:
        return service.filled_pdf(asked, storage().get(asked.pdf_sha256), form.answers())
    except Unfillable as refused:
        form.refuse(refused.too_long, refused.unreadable)
        return None


def _fill_page(form: AnswerForm, asked: CitizenForm, submission_id: UUID | None) -> ResponseReturnValue:
    page = render_template("citizen_forms/fill.html", form=form, asked=asked, submission_id=submission_id)
    return page, 422 if form.is_submitted() else 200


def _sign_data(found: Submission, certificates: Sequence[Certificate]) -> dict[str, Any]:
    place = found.form.fields["signature"]
    where: dict[str, Any] = {"page": found.document.newest.pages, **_USUAL_PLACE}
    if place is not None:
        where = {"page": place["page"], "corner": "top_left", "xMm": place["x_mm"], "yMm": place["y_mm"]}
    return {
        "documentUrl": url_for(".content", submission_id=found.id),
        "prepareUrl": url_for("signing.prepare", document_id=found.document_id),
        "baseNumber": found.document.newest.number,
        "pages": found.document.newest.pages,
        "place": where,
        "certificates": [
            {
                "sha256": one.sha256 or "",
                "der": base64.b64encode(one.der or b"").decode(),
                "validUntil": _("valid until %(moment)s", moment=moment(one.not_after)),
            }
            for one in certificates
        ],
    }


def _throttle(actor: Actor) -> None:
    """Raise TooMany after ten a minute: each costs the limited process a good part of a second."""
    with transaction() as session:
        passes = may_pass(
            session, f"forms:{actor.account_id}", limit=10, per=timedelta(minutes=1), now=datetime.now(UTC)
        )
    if not passes:
        raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))


def _waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    if not actor.may(Permission.HANDLE_FORMS):
        return []
    count = inbox.waiting(session, actor)
    sentence = ngettext(
        "%(num)d form of a citizen waits to be taken into work",
        "%(num)d forms of citizens wait to be taken into work",
        count,
    )
    return [Waiting(sentence, url_for("forms_inbox.index"), count)]


def init(app: Flask) -> None:
    documents.register_visibility(service.own_document)
    documents.register_reserve(service.is_of_a_form)
    app.register_blueprint(bp)
    app.register_blueprint(inbox_pages.bp)
    add_place(
        app,
        Place(_l("Forms"), "forms.index", Permission.SIGN_FORMS, _l("Fill in a form of an agency, sign and send it.")),
    )
    add_place(
        app,
        Place(
            _l("Forms received"),
            "forms_inbox.index",
            Permission.HANDLE_FORMS,
            _l("What citizens sent to your agency, checked."),
            in_header=False,
        ),
    )
    add_place(
        app,
        Place(
            _l("Our forms"),
            "forms_inbox.ours",
            Permission.PUBLISH_FORMS,
            _l("Publish a fillable PDF, or end one."),
            in_header=False,
        ),
    )
    add_waiting(app, _waiting)
