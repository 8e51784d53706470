"""Pages of an agency: what citizens sent to it, working on it, and the forms that it publishes."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.citizen_forms import inbox, letters, published, service
from app.citizen_forms.forms import ActForm, NoteForm, PublishForm
from app.citizen_forms.inbox import Search
from app.citizen_forms.models import SubmissionState
from app.citizen_forms.words import state_words
from app.core.db import transaction
from app.core.errors import AppError
from app.core.permissions import Permission, current_actor, needs
from app.core.problems import status_of, wants_json
from app.core.running import settings, storage
from app.core.security import takes_upload
from app.verification.words import REASONS
from pki.forms.fields import LARGEST_FORM
from pki.pades.report import Reason

bp = Blueprint("forms_inbox", __name__, url_prefix="/forms")

_SHOWN: Final = (
    SubmissionState.RECEIVED,
    SubmissionState.IN_WORK,
    SubmissionState.DONE,
    SubmissionState.SENT_BACK,
    SubmissionState.WITHDRAWN,
)


@bp.get("/inbox")
@needs(Permission.HANDLE_FORMS)
def index() -> ResponseReturnValue:
    wanted = _wanted()
    with transaction() as session:
        found = inbox.search(session, current_actor(), wanted, page=request.args.get("page", 1, type=int))
        return render_template("citizen_forms/inbox.html", found=found, wanted=wanted, states=_SHOWN)


@bp.get("/inbox/export.csv")
@needs(Permission.HANDLE_FORMS)
def export() -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        content = inbox.export(session, current_actor(), _wanted(), state_words(), now=now)
    return Response(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="ho-so-cong-dan.csv"'},
    )


@bp.get("/inbox/<uuid:submission_id>")
@needs(Permission.HANDLE_FORMS)
def show(submission_id: UUID) -> ResponseReturnValue:
    return _page(submission_id, NoteForm())


@bp.get("/inbox/<uuid:submission_id>/content")
@needs(Permission.HANDLE_FORMS)
def content(submission_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = service.find_received(session, current_actor(), submission_id)
        sha256, name = found.document.newest.sha256, f"{found.reference}.pdf"
    return send_file(BytesIO(storage().get(sha256)), mimetype="application/pdf", as_attachment=True, download_name=name)


@bp.post("/inbox/<uuid:submission_id>/take")
@needs(Permission.HANDLE_FORMS)
def take(submission_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.take(session, current_actor(), submission_id, now=datetime.now(UTC))
    flash(_("The form is in work. The citizen sees it."))
    return redirect(url_for(".show", submission_id=submission_id))


@bp.post("/inbox/<uuid:submission_id>/finish")
@needs(Permission.HANDLE_FORMS)
def finish(submission_id: UUID) -> ResponseReturnValue:
    return _end(submission_id, SubmissionState.DONE)


@bp.post("/inbox/<uuid:submission_id>/send-back")
@needs(Permission.HANDLE_FORMS)
def send_back(submission_id: UUID) -> ResponseReturnValue:
    return _end(submission_id, SubmissionState.SENT_BACK)


@bp.get("/ours")
@needs(Permission.PUBLISH_FORMS)
def ours() -> ResponseReturnValue:
    with transaction() as session:
        forms = published.of_agency(session, current_actor())
        return render_template("citizen_forms/ours.html", forms=forms, act=ActForm())


@bp.route("/ours/new", methods=["GET", "POST"])
@needs(Permission.PUBLISH_FORMS)
@takes_upload
def publish() -> ResponseReturnValue:
    form = PublishForm()
    if not form.validate_on_submit():
        return render_template("citizen_forms/publish.html", form=form), 422 if form.is_submitted() else 200
    try:
        blank = published.take_in(form.file.data.stream.read(LARGEST_FORM + 1))
        with transaction() as session:
            made = published.publish(
                session,
                storage(),
                current_actor(),
                blank,
                title=_clean(form.title.data),
                purpose=_clean(form.purpose.data),
                now=datetime.now(UTC),
            )
    except AppError as error:
        if wants_json():
            raise
        # The sentence stands at the field, where the next try begins.
        form.file.errors = [f"{error.sentence} {error.next_step or ''}".strip()]
        return render_template("citizen_forms/publish.html", form=form), status_of(error)
    flash(_("The form is published. Look at its questions as citizens see them."))
    return redirect(url_for("forms.show", form_id=made.id))


@bp.post("/ours/<uuid:form_id>/end")
@needs(Permission.PUBLISH_FORMS)
def end(form_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        published.end(session, current_actor(), form_id, now=datetime.now(UTC))
    flash(_("The form is offered no longer. What was sent in stays in the inbox."))
    return redirect(url_for(".ours"))


def _end(submission_id: UUID, to: SubmissionState) -> ResponseReturnValue:
    form, now = NoteForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _page(submission_id, form, status=422)
    act, kind = (service.finish, "done") if to is SubmissionState.DONE else (service.send_back, "sent_back")
    with transaction() as session:
        found = act(session, current_actor(), submission_id, note=form.note.data.strip(), now=now)
        told = letters.queue(session, settings(), found, kind, now=now)
    if told:
        flash(_("The citizen sees your message and gets a mail."))
    else:
        flash(_("The citizen sees your message. There is no mail address, so none is sent."))
    return redirect(url_for(".show", submission_id=submission_id))


def _page(submission_id: UUID, form: NoteForm, *, status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        found = service.find_received(session, current_actor(), submission_id)
        reason = REASONS[Reason(found.verdict_reason)] if found.verdict_reason else None
        page = render_template(
            "citizen_forms/received.html",
            submission=found,
            questions=published.questions(found.form),
            reason=reason,
            form=form,
        )
    return page, status


def _wanted() -> Search:
    state = request.args.get("state", "")
    known = SubmissionState(state) if state in set(_SHOWN) else None
    return Search(request.args.get("q", "")[:200], known)


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
