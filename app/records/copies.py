"""Certified copies (Decree 30/2020, Articles 25 to 27): asked for by who has the document, agreed to by a clerk.

Two people, and the password of the second: a copy stands for its original. `app.records.copying` makes it, in `worker`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.accounts import step_up
from app.audit import service as audit
from app.certificates import register
from app.certificates.models import Certificate
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion
from app.records import registers
from app.records.copy_statement import PURPOSE, CopyStatement
from app.records.kinds import CopyForm
from app.records.models import CopyState, DocumentCopy, Entry, EntryState
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Agency
from app.routes.models import RouteDocument
from app.seals import service as seals
from pki.layout.certified_copy import pages_of, written

COPY_TASK: Final = "records.copy"
LONGEST_PURPOSE: Final = 300
LONGEST_REASON: Final = 500
_NONCE_OCTETS: Final = 16
_NO_COPY: Final = _l("There is no such copy, or it is not yours to see.")


@dataclass(frozen=True)
class Original:
    """An issued document, or a certified copy, that copies may be made of."""

    document: Document
    # The version that was issued.
    version: DocumentVersion
    entry: Entry
    forms: tuple[CopyForm, ...]


def original_of(session: Session, actor: Actor, document_id: UUID) -> Original:
    """Return an issued document that the actor may see. Raises NotFound for any other, Conflict if it was cancelled."""
    document = documents.find(session, actor, document_id)
    found = _issued(session, document)
    if found is None:
        raise NotFound(_l("This document was not issued here, so no certified copy can be made of it."))
    if found.entry.state != EntryState.ISSUED:
        raise Conflict(_l("This document is no longer in force. No copies of it are certified."))
    return found


def _issued(session: Session, document: Document) -> Original | None:
    """Return number and issued version of a paper of a route, or of a copy; None for what bears no number."""
    made = session.scalar(select(DocumentCopy).where(DocumentCopy.document_id == document.id))
    if made is not None:
        entry, version_id = made.entry, made.entry.version_id if made.entry is not None else None
        forms: tuple[CopyForm, ...] = (CopyForm.OF_A_COPY,) if made.form == CopyForm.FULL else ()
    else:
        paper = session.get(RouteDocument, document.id)
        if paper is None or paper.issued_version_id is None:
            return None
        entry = session.scalar(select(Entry).where(Entry.route_id == paper.route_id))
        version_id, forms = paper.issued_version_id, (CopyForm.FULL, CopyForm.EXTRACT)
    version = next((one for one in document.versions if one.id == version_id), None)
    return Original(document, version, entry, forms) if version is not None and entry is not None else None


def ask(
    session: Session,
    actor: Actor,
    document_id: UUID,
    form: CopyForm,
    *,
    pages: str,
    purpose: str,
    now: datetime,
) -> DocumentCopy:
    """Ask the actor's agency for a certified copy; asking again while one waits returns that one.

    Raises NotFound, Conflict (cancelled), Invalid (form, pages, purpose, no post).
    """
    original = original_of(session, actor, document_id)
    if form not in original.forms:
        raise Invalid(_l("A copy of this form cannot be made of this document."))
    reason = " ".join(purpose.split())
    if not reason or len(reason) > LONGEST_PURPOSE:
        raise Invalid(_l("Say what the copy is for, in up to 300 characters."))
    chosen = pages_of(pages, original.version.pages) if form is CopyForm.EXTRACT else ()
    if chosen is None:
        raise Invalid(
            _l("These are not pages of the document: it has %(pages)s.", pages=original.version.pages),
            _l("Write them like this: 1, 3-5."),
        )
    agency = _agency_of(session, actor)
    # Locked, so that of two who ask at once the second finds the request of the first.
    session.execute(select(Document.id).where(Document.id == document_id).with_for_update(of=Document))
    wanted = {
        "original_id": document_id,
        "agency_id": agency.id,
        "form": form.value,
        "pages": written(chosen) if form is CopyForm.EXTRACT else None,
    }
    open_states = DocumentCopy.state.in_((CopyState.ASKED, CopyState.WAITING))
    waiting = session.scalar(select(DocumentCopy).filter_by(**wanted).where(open_states))
    if waiting is not None:
        return waiting
    made = DocumentCopy(
        **wanted,
        original_version_id=original.version.id,
        original_label=original.entry.label,
        purpose=reason,
        state=CopyState.ASKED,
        asked_by=actor.person_id,
        asked_at=now,
    )
    session.add(made)
    session.flush()
    record(session, actor, "copy_asked", made)
    return made


def _agency_of(session: Session, actor: Actor) -> Agency:
    """Return the agency of the actor's post, in which they sign: it certifies the copy."""
    post = registry.person(session, actor.person_id).current_post if actor.person_id is not None else None
    if post is None or not scope.covers(session, actor, Permission.SIGN_DOCUMENTS, post.agency_id):
        raise Invalid(
            _l("You hold no post in an agency, so none can certify the copy. Nothing was asked for."),
            _l("Ask your agency's administrator to enter your post."),
        )
    return post.agency


def order(
    session: Session, actor: Actor, copy_id: UUID, *, seal_sha256: str, password: str, now: datetime
) -> DocumentCopy | None:
    """Agree to a copy, so that it is numbered and sealed; None, and a line in the log, for a wrong password.

    Agreeing again while it is being made, or after, changes nothing. The caller has counted the try of the password.
    Raises NotFound, Conflict (own request, declined, original cancelled, another seal).
    """
    found = find(session, actor, copy_id, for_change=True)
    _refuse_unless_clerk(session, actor, found)
    if found.state in (CopyState.WAITING, CopyState.DONE):
        return found
    if found.state != CopyState.ASKED:
        raise Conflict(_l("This request was declined meanwhile. Nothing was sealed."))
    refuse_cancelled(session, found)
    seal = seals.seal_of(session, found.agency_id, now=now)
    if seal.sha256 != seal_sha256:
        raise Conflict(
            _l("The agency has another seal than the one that you were shown."), _l("Open the page again and look.")
        )
    statement = CopyStatement(
        agency_id=found.agency_id,
        copy_id=found.id,
        form=CopyForm(found.form),
        pages=found.pages,
        original_sha256=found.original_version.sha256,
        issued_on=registers.today(now),
        seal_sha256=seal.sha256,
        nonce=secrets.token_hex(_NONCE_OCTETS),
        expires_at=now + step_up.LIFE,
    )
    proof = step_up.prove(session, actor, password, purpose=PURPOSE, statement=statement.to_json(), now=now)
    if proof is None or actor.person_id is None:
        return None
    found.state, found.step_up_id, found.clerk_id, found.fault = CopyState.WAITING, proof.id, actor.person_id, None
    session.flush()
    record(session, actor, "copy_ordered", found, step_up_id=str(proof.id))
    enqueue(session, COPY_TASK, {"copy_id": str(found.id)}, queueing_lock=f"{COPY_TASK}:{proof.id}")
    return found


def decline(session: Session, actor: Actor, copy_id: UUID, *, reason: str, now: datetime) -> DocumentCopy:
    """Decline a copy with a reason. Twice with the same words changes nothing. Raises NotFound, Conflict, Invalid."""
    found = find(session, actor, copy_id, for_change=True)
    _refuse_unless_clerk(session, actor, found)
    said = " ".join(reason.split())
    if not said or len(said) > LONGEST_REASON:
        raise Invalid(_l("Say why the copy is not made, in up to 500 characters."))
    if found.state == CopyState.DECLINED and found.reason == said:
        return found
    if found.state != CopyState.ASKED:
        raise Conflict(_l("This request does not wait any more. Nothing was declined."))
    found.state, found.reason, found.clerk_id, found.ended_at = CopyState.DECLINED, said, actor.person_id, now
    session.flush()
    record(session, actor, "copy_declined", found)
    return found


def find(session: Session, actor: Actor, copy_id: UUID, *, for_change: bool = False) -> DocumentCopy:
    """Return a copy of an agency whose documents the actor signs or issues. Raises NotFound otherwise."""
    query = select(DocumentCopy).where(DocumentCopy.id == copy_id, _readable(actor))
    if for_change:
        query = query.with_for_update(of=DocumentCopy)
    found = session.scalar(query.execution_options(populate_existing=for_change))
    if found is None:
        raise NotFound(_NO_COPY)
    return found


def may_order(session: Session, actor: Actor, found: DocumentCopy) -> bool:
    """Say whether the actor is a clerk of the copy's agency, and not who asked for it."""
    is_clerk = scope.covers(session, actor, Permission.ISSUE_DOCUMENTS, found.agency_id)
    return is_clerk and actor.person_id != found.asked_by


def copies_of(session: Session, actor: Actor, document_id: UUID) -> Sequence[DocumentCopy]:
    """Return the copies of a document that the actor may see, the newest first."""
    query = (
        select(DocumentCopy)
        .where(DocumentCopy.original_id == document_id, _readable(actor))
        .order_by(DocumentCopy.asked_at.desc())
        .limit(100)
    )
    return session.scalars(query).unique().all()


def awaiting(session: Session, actor: Actor) -> Sequence[DocumentCopy]:
    """Return the copies that wait for a clerk of the actor's agencies, the oldest first."""
    query = (
        select(DocumentCopy)
        .where(
            DocumentCopy.state.in_((CopyState.ASKED, CopyState.WAITING)),
            scope.within(actor, Permission.ISSUE_DOCUMENTS, DocumentCopy.agency_id),
        )
        .order_by(DocumentCopy.asked_at)
        .limit(100)
    )
    return session.scalars(query).unique().all()


def seal_for(session: Session, found: DocumentCopy, *, now: datetime) -> Certificate | None:
    """Return the seal that the copy would bear."""
    return register.seal_of(session, found.agency_id, now=now)


def refuse_cancelled(session: Session, found: DocumentCopy) -> None:
    """Raise Conflict if the original's number was given up, or its issued version is another one."""
    original = _issued(session, found.original)
    if (
        original is None
        or original.entry.state != EntryState.ISSUED
        or original.version.id != found.original_version_id
        or original.entry.label != found.original_label
    ):
        raise Conflict(_l("The original is no longer in force. No copies of it are certified."))


def record(session: Session, actor: Actor, act: str, found: DocumentCopy, **facts: str) -> None:
    """Write an act on a copy into the log."""
    audit.record(
        session,
        actor,
        act,
        object_kind="document_copy",
        object_id=found.id,
        agency_id=found.agency_id,
        original=found.original_label,
        form=found.form,
        **facts,
    )


def _readable(actor: Actor) -> ColumnElement[bool]:
    return or_(
        scope.within(actor, Permission.SIGN_DOCUMENTS, DocumentCopy.agency_id),
        scope.within(actor, Permission.ISSUE_DOCUMENTS, DocumentCopy.agency_id),
    )


def _refuse_unless_clerk(session: Session, actor: Actor, found: DocumentCopy) -> None:
    if not scope.covers(session, actor, Permission.ISSUE_DOCUMENTS, found.agency_id):
        raise NotFound(_NO_COPY)
    if actor.person_id == found.asked_by:
        raise Conflict(
            _l("You asked for this copy, so somebody else agrees to it."), _l("Ask another clerk of the agency.")
        )
