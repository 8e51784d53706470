"""A citizen's form from the first answer to the agency's last word: filled, signed, sent, worked on, ended."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.citizen_forms import form_job, published
from app.citizen_forms.models import CitizenForm, Submission, SubmissionState
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.storage import Storage
from app.documents import sandbox
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, MadeBy
from app.registry import scope
from app.registry.models import Person
from app.registry.search import fold
from pki.errors import PdfRefused
from pki.pades.report import Report, Verdict

# Without letters and figures that are taken for one another on the telephone.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_OPEN: Final = (SubmissionState.RECEIVED, SubmissionState.IN_WORK)
_RELOAD: Final = _l("Reload the page to see how it stands.")
LONGEST_NOTE: Final = 1000


class Unfillable(Invalid):
    """Answers that the paper cannot hold: `too_long` and `unreadable` name their fields."""

    def __init__(self, too_long: list[str], unreadable: list[str]) -> None:
        super().__init__(_l("Some answers do not fit on the paper."))
        self.too_long = too_long
        self.unreadable = unreadable


def filled_pdf(form: CitizenForm, blank: bytes, answers: Mapping[str, str]) -> bytes:
    """Return the form with the answers drawn. Raises Unfillable; needs no session, since it takes a while."""
    facts = {"fields": form.fields["fields"], "values": dict(answers)}
    try:
        found, output = sandbox.run(form_job.fill_form_in, facts, blank)
    except PdfRefused as error:
        raise Invalid(_l("The form could not be filled in."), _l("Tell the agency that published it.")) from error
    with output:
        if found["too_long"] or found["unreadable"]:
            raise Unfillable(found["too_long"], found["unreadable"])
        return output.read()


def begin(
    session: Session,
    storage: Storage,
    actor: Actor,
    form_id: UUID,
    *,
    answers: Mapping[str, str],
    pdf: bytes,
    now: datetime,
) -> Submission:
    """Keep a filled form as a draft that only its citizen sees; the same answers sent again are the same draft."""
    if actor.person_id is None:
        raise Invalid(_l("Your account belongs to no person, so it cannot send forms."))
    form = published.find_offered(session, form_id)
    # Locked, so that of two presses of the button the second finds what the first has made.
    session.get_one(Person, actor.person_id, with_for_update=True)
    repeated = _same_draft(session, actor.person_id, form_id, answers)
    if repeated is not None:
        return repeated
    document = Document(
        title=form.title,
        search_title=fold(form.title),
        agency_id=form.agency_id,
        owner_id=actor.person_id,
        created_at=now,
    )
    session.add(document)
    session.flush()
    session.add(
        DocumentVersion(
            document_id=document.id,
            number=1,
            sha256=storage.put(pdf),
            size=len(pdf),
            pages=form.pages,
            signatures=0,
            made_by=MadeBy.FORM,
            person_id=actor.person_id,
            made_at=now,
        )
    )
    submission = Submission(
        reference=_reference(session),
        form_id=form.id,
        agency_id=form.agency_id,
        person_id=actor.person_id,
        document_id=document.id,
        answers=dict(answers),
        state=SubmissionState.DRAFT,
        filled_at=now,
        changed_at=now,
    )
    session.add(submission)
    session.flush()
    _record(session, actor, "form_filled", submission)
    return submission


def change(
    session: Session,
    storage: Storage,
    actor: Actor,
    submission_id: UUID,
    *,
    answers: Mapping[str, str],
    pdf: bytes,
    now: datetime,
) -> Submission:
    """Fill a draft in again. Raises Conflict once it is signed or sent."""
    submission = find_own(session, actor, submission_id, for_change=True)
    refuse_unless_unsigned(submission)
    base = submission.document.newest
    documents.add_version(
        session,
        submission.document,
        base=base,
        made_by=MadeBy.FORM,
        sha256=storage.put(pdf),
        size=len(pdf),
        pages=base.pages,
        signatures=0,
        person_id=submission.person_id,
        now=now,
    )
    submission.answers, submission.filled_at, submission.changed_at = dict(answers), now, now
    _record(session, actor, "form_filled", submission)
    return submission


def send(
    session: Session, actor: Actor, submission_id: UUID, *, version_sha256: str, report: Report, now: datetime
) -> bool:
    """Hand a signed draft to its agency with what the check said of exactly that file; False if it was sent before.

    Raises Conflict if it is not signed, was changed since it was checked, or the form was ended meanwhile; Invalid if
    the signature is not valid: an agency is never sent a paper that its own check refuses.
    """
    submission = find_own(session, actor, submission_id, for_change=True)
    if submission.state in (*_OPEN, SubmissionState.DONE):
        return False
    newest = submission.document.newest
    if submission.state != SubmissionState.DRAFT or newest.sha256 != version_sha256:
        raise Conflict(_l("The form has changed since this page was shown. Nothing was sent."), _RELOAD)
    if not is_signed(submission):
        raise Conflict(_l("The form is not signed yet. Nothing was sent."), _l("Sign it, then send it."))
    published.find_offered(session, submission.form_id)
    if report.verdict is Verdict.NOT_VALID:
        raise Invalid(
            _l("The signature on your form is not valid. Nothing was sent."), _l("Fill the form in again and sign it.")
        )
    submission.state, submission.sent_at, submission.changed_at = SubmissionState.RECEIVED, now, now
    submission.verdict, submission.verdict_reason = str(report.verdict), str(report.reason)
    _record(session, actor, "form_sent", submission, verdict=str(report.verdict))
    return True


def withdraw(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> None:
    """Take a form back, a draft or one that the agency has not ended; twice is the same as once."""
    submission = find_own(session, actor, submission_id, for_change=True)
    if submission.state == SubmissionState.WITHDRAWN:
        return
    if submission.state not in (SubmissionState.DRAFT, *_OPEN):
        raise Conflict(_l("The agency has finished with this form, so it can no longer be withdrawn."), _RELOAD)
    submission.state, submission.changed_at = SubmissionState.WITHDRAWN, now
    _record(session, actor, "form_withdrawn", submission)


def take(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> Submission:
    """Note that the agency works on a form. Raises Conflict if somebody took or ended it, or it was withdrawn."""
    return _move(session, actor, submission_id, SubmissionState.IN_WORK, "form_taken", None, now)


def finish(session: Session, actor: Actor, submission_id: UUID, *, note: str, now: datetime) -> Submission:
    """End a form that was worked on, with a word to the citizen."""
    return _move(session, actor, submission_id, SubmissionState.DONE, "form_done", note, now)


def send_back(session: Session, actor: Actor, submission_id: UUID, *, note: str, now: datetime) -> Submission:
    """Send a form back with the reason; the citizen fills in another one from its answers."""
    return _move(session, actor, submission_id, SubmissionState.SENT_BACK, "form_sent_back", note, now)


def find_own(session: Session, actor: Actor, submission_id: UUID, *, for_change: bool = False) -> Submission:
    """Return a form of the actor's own. Raises NotFound for everybody else's."""
    query = select(Submission).where(Submission.id == submission_id, Submission.person_id == actor.person_id)
    if for_change:
        query = query.with_for_update(of=Submission)
    found = session.scalar(query.execution_options(populate_existing=for_change))
    if found is None or actor.person_id is None:
        raise NotFound(_l("There is no such form of yours."))
    return found


def find_received(session: Session, actor: Actor, submission_id: UUID, *, for_change: bool = False) -> Submission:
    """Return a form that was sent to an agency of the actor's scope. Raises NotFound; drafts are nobody's."""
    query = select(Submission).where(Submission.id == submission_id, received(actor))
    if for_change:
        query = query.with_for_update(of=Submission)
    found = session.scalar(query.execution_options(populate_existing=for_change))
    if found is None:
        raise NotFound(_l("There is no such form, or it belongs to another agency."))
    return found


def received(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a form was sent to an agency whose inbox the actor reads."""
    return scope.within(actor, Permission.HANDLE_FORMS, Submission.agency_id) & Submission.sent_at.is_not(None)


def is_signed(submission: Submission) -> bool:
    newest = submission.document.newest
    return newest.made_by == MadeBy.SIGNATURE or newest.signatures > 0


def refuse_unless_unsigned(submission: Submission) -> None:
    """Raise Conflict unless the answers may still be changed."""
    if submission.state != SubmissionState.DRAFT or is_signed(submission):
        raise Conflict(
            _l("The form is signed, so its answers can no longer be changed."),
            _l("Withdraw it and fill in another one."),
        )


def own_document(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a document is a form of the actor's own that waits to be signed or sent."""
    return exists().where(
        Submission.document_id == Document.id,
        Submission.person_id == actor.person_id,
        Submission.state == SubmissionState.DRAFT,
    )


def is_of_a_form() -> ColumnElement[bool]:
    """Return the condition that a document came with a form: agencies see it in their inbox, never among papers."""
    return exists().where(Submission.document_id == Document.id)


def _same_draft(session: Session, person_id: UUID, form_id: UUID, answers: Mapping[str, str]) -> Submission | None:
    query = select(Submission).where(
        Submission.person_id == person_id,
        Submission.form_id == form_id,
        Submission.state == SubmissionState.DRAFT,
        Submission.answers == dict(answers),
    )
    return next((one for one in session.scalars(query) if not is_signed(one)), None)


def _move(
    session: Session,
    actor: Actor,
    submission_id: UUID,
    to: SubmissionState,
    act: str,
    note: str | None,
    now: datetime,
) -> Submission:
    submission = find_received(session, actor, submission_id, for_change=True)
    allowed = (SubmissionState.RECEIVED,) if to is SubmissionState.IN_WORK else _OPEN
    if submission.state not in allowed:
        raise Conflict(_l("Somebody else was first, or the citizen withdrew the form. Nothing was changed."), _RELOAD)
    submission.state, submission.changed_at = to, now
    submission.handled_by, submission.note = actor.account_id, note
    _record(session, actor, act, submission)
    return submission


def _record(session: Session, actor: Actor, act: str, submission: Submission, **facts: str) -> None:
    session.flush()
    audit.record(
        session,
        actor,
        act,
        object_kind="form_submission",
        object_id=submission.id,
        agency_id=submission.agency_id,
        **facts,
    )


def _reference(session: Session) -> str:
    while True:
        letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        reference = f"HS-{letters[:4]}-{letters[4:]}"
        if session.scalar(select(Submission.id).where(Submission.reference == reference)) is None:
            return reference
