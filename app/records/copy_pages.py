"""Pages of certified copies: those of a document and asking for one, and one copy until it is sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.accounts import step_up
from app.core.db import transaction
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission, current_actor, needs
from app.records import copies, registers, words
from app.records.forms import AskCopyForm, DeclineCopyForm, SealCopyForm
from app.records.kinds import CopyForm, Kind, copy_symbol, label
from app.records.models import DocumentCopy
from app.routes import paper_files

bp = Blueprint("copies", __name__, url_prefix="/copies")


@bp.route("/of/<uuid:document_id>", methods=["GET", "POST"])
@needs(Permission.SIGN_DOCUMENTS)
def of_document(document_id: UUID) -> ResponseReturnValue:
    form = AskCopyForm()
    with transaction() as session:
        original = copies.original_of(session, current_actor(), document_id)
        form.form.choices = [(one.value, words.COPY_FORMS[one]) for one in original.forms]
    if not form.validate_on_submit():
        return _of_document(document_id, form), 422 if form.is_submitted() else 200
    try:
        with transaction() as session:
            made = copies.ask(
                session,
                current_actor(),
                document_id,
                CopyForm(form.form.data),
                pages=form.pages.data or "",
                purpose=form.purpose.data or "",
                now=datetime.now(UTC),
            )
            copy_id = made.id
    except Invalid as error:
        form.pages.errors = [f"{error} {error.next_step or ''}".strip()]
        return _of_document(document_id, form), 422
    flash(_("The copy is asked for. A clerk of your agency looks at it and seals it."))
    return redirect(url_for(".show", copy_id=copy_id))


@bp.get("/<uuid:copy_id>")
@needs(Permission.SIGN_DOCUMENTS, Permission.ISSUE_DOCUMENTS)
def show(copy_id: UUID) -> ResponseReturnValue:
    return _page(copy_id, SealCopyForm(formdata=None), DeclineCopyForm(formdata=None))


@bp.post("/<uuid:copy_id>/seal")
@needs(Permission.ISSUE_DOCUMENTS)
def seal(copy_id: UUID) -> ResponseReturnValue:
    form, now = SealCopyForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _page(copy_id, form, DeclineCopyForm(formdata=None)), 422
    with transaction() as session:
        copies.find(session, current_actor(), copy_id)
        # Committed by itself, like the tries at the door.
        step_up.count_try(session, current_actor(), now=now)
    with transaction() as session:
        ordered = copies.order(
            session,
            current_actor(),
            copy_id,
            seal_sha256=form.seal.data or "",
            password=form.password.data or "",
            now=now,
        )
        agreed = ordered is not None
    if not agreed:
        form.password.errors = [_("This is not your password. Nothing was sealed.")]
        return _page(copy_id, form, DeclineCopyForm(formdata=None)), 422
    return redirect(url_for(".show", copy_id=copy_id))


@bp.post("/<uuid:copy_id>/decline")
@needs(Permission.ISSUE_DOCUMENTS)
def decline(copy_id: UUID) -> ResponseReturnValue:
    form = DeclineCopyForm()
    if not form.validate_on_submit():
        return _page(copy_id, SealCopyForm(formdata=None), form), 422
    with transaction() as session:
        copies.decline(session, current_actor(), copy_id, reason=form.reason.data or "", now=datetime.now(UTC))
    flash(_("The copy is declined. Whoever asked for it reads why."))
    return redirect(url_for(".show", copy_id=copy_id))


@bp.get("/<uuid:copy_id>/file")
@needs(Permission.SIGN_DOCUMENTS, Permission.ISSUE_DOCUMENTS)
def download(copy_id: UUID) -> Response:
    with transaction() as session:
        found = copies.find(session, current_actor(), copy_id)
        if found.document is None:
            raise NotFound(_l("This copy is not sealed yet."))
        return paper_files.answer(found.document, found.document.newest)


@bp.get("/<uuid:copy_id>/original")
@needs(Permission.SIGN_DOCUMENTS, Permission.ISSUE_DOCUMENTS)
def original(copy_id: UUID) -> Response:
    """The issued file that is copied: the clerk looks at it before the seal."""
    with transaction() as session:
        found = copies.find(session, current_actor(), copy_id)
        return paper_files.answer(found.original, found.original_version)


def _of_document(document_id: UUID, form: AskCopyForm) -> str:
    with transaction() as session:
        actor = current_actor()
        return render_template(
            "records/copies_of.html",
            form=form,
            original=copies.original_of(session, actor, document_id),
            copies=copies.copies_of(session, actor, document_id),
            words=words,
        )


def _page(copy_id: UUID, form: SealCopyForm, refusal: DeclineCopyForm) -> str:
    now = datetime.now(UTC)
    with transaction() as session:
        actor = current_actor()
        found = copies.find(session, actor, copy_id)
        usable = copies.seal_for(session, found, now=now)
        if usable is not None and not form.is_submitted():
            form.seal.data = usable.sha256
        return render_template(
            "records/copy.html",
            form=form,
            refusal=refusal,
            copy=found,
            seal=usable,
            expected=_expected(session, found, now),
            may_order=copies.may_order(session, actor, found),
            own=actor.person_id == found.asked_by,
            words=words,
        )


def _expected(session: Session, found: DocumentCopy, now: datetime) -> str:
    """Return the number that the copy gets unless another one takes it first."""
    number = registers.expected_number(session, found.agency_id, Kind.COPY, registers.today(now).year)
    return label(number, copy_symbol(CopyForm(found.form), found.agency.name))
