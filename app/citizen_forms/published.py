"""Forms that agencies publish: taken in, listed for everybody, ended when another edition takes their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.citizen_forms import form_job
from app.citizen_forms.models import CitizenForm
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.storage import Storage
from app.documents import intake, sandbox
from app.registry import scope
from app.registry import service as registry
from app.registry.search import fold, pattern
from pki.errors import PdfRefused
from pki.forms.fields import FormField
from pki.pades.faults import PdfFault

_AGAIN: Final = _l("Change the form in the program that it was made with, then choose the new file.")
_REFUSALS: Final = {
    PdfFault.NO_FIELDS: _l("The PDF has no fields to fill in. Nothing was published."),
    PdfFault.FIELD_UNUSABLE: _l(
        "The form has a field that a web page cannot ask for (a file, a password, several answers in one list), or two "
        "fields of one name. Nothing was published."
    ),
    PdfFault.ACTIVE_CONTENT: _l("The form is of a kind that only one program shows (XFA). Nothing was published."),
    PdfFault.ALREADY_SIGNED: _l("The form is signed already, so it can no longer be filled in. Nothing was published."),
}


@dataclass(frozen=True)
class BlankForm:
    """A form that was taken in: the cleaned file, and what it asks as `FormDescription.to_json` writes it."""

    pdf: bytes
    facts: dict[str, Any]


def take_in(pdf: bytes) -> BlankForm:
    """Return the form ready to be published. Raises Invalid or TooLarge with what to do; nothing is stored here."""
    try:
        facts, output = sandbox.run(form_job.take_form_in, {}, pdf)
    except PdfRefused as error:
        fault = PdfFault(error.fault)
        if fault in _REFUSALS:
            raise Invalid(_REFUSALS[fault], _AGAIN) from error
        raise intake.refusal(fault) from error
    with output:
        return BlankForm(output.read(), facts)


def publish(
    session: Session, storage: Storage, actor: Actor, blank: BlankForm, *, title: str, purpose: str, now: datetime
) -> CitizenForm:
    """Publish a form for the agency of the actor's post. Raises Invalid where the actor may not publish for it."""
    if actor.person_id is None or actor.account_id is None:
        raise Invalid(_l("Your account belongs to no person, so it cannot publish forms."))
    post = registry.person(session, actor.person_id).current_post
    if post is None or not scope.covers(session, actor, Permission.PUBLISH_FORMS, post.agency_id):
        raise Invalid(
            _l("You hold no post in an agency whose forms you may publish. Nothing was published."),
            _l("Ask your agency's administrator to enter your post."),
        )
    form = CitizenForm(
        agency_id=post.agency_id,
        title=title,
        search_title=fold(title),
        purpose=purpose,
        pdf_sha256=storage.put(blank.pdf),
        pages=int(blank.facts["pages"]),
        fields=blank.facts,
        published_by=actor.account_id,
        published_at=now,
    )
    session.add(form)
    session.flush()
    audit.record(
        session,
        actor,
        "form_published",
        object_kind="citizen_form",
        object_id=form.id,
        agency_id=form.agency_id,
        fields=len(blank.facts["fields"]),
    )
    return form


def end(session: Session, actor: Actor, form_id: UUID, *, now: datetime) -> CitizenForm:
    """Offer a form no longer; what was sent in with it stays. Ending it twice is the same as once."""
    condition = scope.within(actor, Permission.PUBLISH_FORMS, CitizenForm.agency_id)
    form = session.scalar(
        select(CitizenForm).where(CitizenForm.id == form_id, condition).with_for_update(of=CitizenForm)
    )
    if form is None:
        raise NotFound(_l("There is no such form, or it belongs to another agency."))
    if form.ended_at is None:
        form.ended_at = now
        audit.record(
            session, actor, "form_ended", object_kind="citizen_form", object_id=form.id, agency_id=form.agency_id
        )
    return form


def offered(session: Session, text: str = "") -> Sequence[CitizenForm]:
    """Return the forms that anybody may fill in now, by title; `text` is part of it."""
    query = select(CitizenForm).where(CitizenForm.ended_at.is_(None))
    if text.strip():
        query = query.where(CitizenForm.search_title.like(pattern(text)))
    return session.scalars(query.order_by(CitizenForm.search_title).limit(200)).all()


def of_agency(session: Session, actor: Actor) -> Sequence[CitizenForm]:
    """Return the forms that the actor may end, ended ones last."""
    condition = scope.within(actor, Permission.PUBLISH_FORMS, CitizenForm.agency_id)
    query = select(CitizenForm).where(condition).order_by(CitizenForm.ended_at.is_not(None), CitizenForm.search_title)
    return session.scalars(query).all()


def find(session: Session, form_id: UUID) -> CitizenForm:
    """Return a form, ended or not: what was sent in refers to it. Raises NotFound."""
    form = session.get(CitizenForm, form_id)
    if form is None:
        raise NotFound(_l("There is no such form."))
    return form


def find_offered(session: Session, form_id: UUID) -> CitizenForm:
    """Return a form that may be filled in. Raises NotFound, Conflict for one that ended."""
    form = find(session, form_id)
    if form.ended_at is not None:
        raise Conflict(
            _l("The agency offers this form no longer. Nothing was sent."), _l("Look for its new edition in the list.")
        )
    return form


def questions(form: CitizenForm) -> tuple[FormField, ...]:
    """Return what a form asks, in its order."""
    return tuple(FormField.from_json(row) for row in form.fields["fields"])
