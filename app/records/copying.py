"""Making a certified copy, in `worker`: sheets, number, seal, line of the book, in one transaction.

The steps that issue a document are those of `app.records.issuing`; what differs is where the sheets come from and what
stands on them: in words, top right of the first page, the form of the copy, its number, the agency and the time
(Decree 30/2020, Annex I, part II).
"""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import step_up
from app.accounts.step_up_models import StepUp
from app.certificates import register
from app.core.failpoints import reach
from app.core.permissions import Actor
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.timestamping import Timestamper
from app.documents import sandbox
from app.documents.models import Document, DocumentVersion, MadeBy
from app.records import copies, copy_job, registers, sealing
from app.records.copy_statement import PURPOSE, CopyStatement
from app.records.issuing import NotIssued, Work, clerk_of, put_under_seal, refused_as, usable_seal
from app.records.kinds import CopyForm, Kind, copy_symbol, label
from app.records.models import CopyState, DocumentCopy, Entry, EntryState
from app.records.statement import SealPlace
from app.records.words import COPY_HEADINGS, Fault
from app.registry.search import fold
from pki.errors import PdfRefused
from pki.layout.certified_copy import pages_of
from pki.pades.placement import Corner

# Letters in a line of 70 mm in 10 points.
_LINE: Final = 42
_LONGEST_TITLE: Final = 200


def make(
    session: Session, settings: Settings, storage: Storage, copy_id: UUID, *, timestamp: Timestamper, now: datetime
) -> Entry | None:
    """Make a copy that a clerk agreed to; one that has ended is left as it is. Raises NotIssued: commit nothing."""
    found = waiting(session, copy_id)
    if found is None or found.step_up_id is None:
        return None
    proof, statement = _agreed(session, found, found.step_up_id, now=now)
    clerk = clerk_of(session, proof.account_id)
    with refused_as(Fault.NOT_ALLOWED):
        copies.find(session, clerk, found.id)
    if not copies.may_order(session, clerk, found):
        raise NotIssued(Fault.NOT_ALLOWED)
    with refused_as(Fault.ORIGINAL_NOT_IN_FORCE):
        copies.refuse_cancelled(session, found)
    seal, key = usable_seal(session, settings, found.agency_id, statement.seal_sha256, now=now)
    series = registers.hold(session, found.agency_id, Kind.COPY, statement.issued_on.year)
    number = registers.next_number(session, series.id)
    written = label(number, copy_symbol(statement.form, found.agency.name))
    work = Work(settings, storage, clerk, proof, statement.issued_on, seal, key, written, timestamp, now)
    document = _sheets(session, storage, found, now=now)
    order = sealing.Order(
        certificate_der=seal.der or b"",
        chain_der=register.intermediates_of(session, seal),
        agency=found.agency.name,
        label=written,
        issued_on=statement.issued_on,
        place=SealPlace(1, Corner.TOP_RIGHT),
        code=None,
        picture=None,
        is_main=False,
        now=now,
        heading=heading(found, written),
    )
    try:
        version = put_under_seal(session, work, document, order)
    except NotIssued as error:
        raise NotIssued(Fault.NO_STRIP) if error.fault is Fault.NO_PLACE else error from error
    reach("records.copied")
    entry = _enter(
        session,
        found,
        series.id,
        number,
        written,
        statement,
        document,
        version,
        seal_id=seal.id,
        clerk_id=found.clerk_id or found.asked_by,
        now=now,
    )
    found.state, found.document_id, found.entry_id, found.ended_at = CopyState.DONE, document.id, entry.id, now
    found.fault = None
    copies.record(session, clerk, "copy_made", found, number=written)
    session.flush()
    return entry


def heading(found: DocumentCopy, written: str) -> tuple[str, ...]:
    """Return what stands above the time: the form of the copy with its number, and the agency."""
    form = COPY_HEADINGS[CopyForm(found.form)]
    return (f"{form} số {written}", *textwrap.wrap(found.agency.name, _LINE)[:2])


def waiting(session: Session, copy_id: UUID) -> DocumentCopy | None:
    """Return the copy, locked, if a clerk agreed to it and it is not made yet."""
    query = select(DocumentCopy).where(DocumentCopy.id == copy_id).with_for_update(of=DocumentCopy)
    found = session.scalar(query.execution_options(populate_existing=True))
    return found if found is not None and found.state == CopyState.WAITING else None


def note_try(session: Session, copy_id: UUID, fault: Fault) -> None:
    """Note that a copy could not be made yet, and why; it is tried again."""
    found = waiting(session, copy_id)
    if found is not None:
        found.tries, found.fault = found.tries + 1, fault


def hand_back(session: Session, copy_id: UUID, fault: Fault, *, actor: Actor) -> None:
    """Let a copy that cannot be made wait for the clerk again, with what stands against it."""
    found = waiting(session, copy_id)
    if found is None:
        return
    # What kept it waiting until it was too late says more than that it was too late.
    found.fault = found.fault if fault is Fault.EXPIRED and found.fault is not None else fault
    found.state, found.tries = CopyState.ASKED, found.tries + 1
    copies.record(session, actor, "copy_refused", found, why=found.fault)


def _agreed(session: Session, found: DocumentCopy, step_up_id: UUID, *, now: datetime) -> tuple[StepUp, CopyStatement]:
    """Use the proof up and return what was agreed to, which must be this copy, of this file, today."""
    with refused_as(Fault.EXPIRED):
        proof = step_up.use(session, step_up_id, purpose=PURPOSE, now=now)
    statement = CopyStatement.from_json(proof.statement)
    if now > statement.expires_at:
        raise NotIssued(Fault.EXPIRED)
    if registers.today(now) != statement.issued_on:
        raise NotIssued(Fault.ANOTHER_DAY)
    agreed = (statement.copy_id, statement.agency_id, statement.form, statement.pages, statement.original_sha256)
    if agreed != (found.id, found.agency_id, found.form, found.pages, found.original_version.sha256):
        raise NotIssued(Fault.COPY_CHANGED)
    return proof, statement


def _sheets(session: Session, storage: Storage, found: DocumentCopy, *, now: datetime) -> Document:
    """Store the sheets of the copy as version 1 of a document of its own."""
    version = found.original_version
    pages = pages_of(found.pages, version.pages) if found.pages is not None else None
    try:
        made, output = sandbox.run(copy_job.make_sheets, {"pages": pages}, storage.path_of(version.sha256))
    except (PdfRefused, FileNotFoundError) as error:
        raise NotIssued(Fault.FILE_UNREADABLE) from error
    with output:
        sha256 = storage.put_stream(output, largest=sealing.LARGEST)
        size = output.seek(0, 2)
    heading_ = COPY_HEADINGS[CopyForm(found.form)].capitalize()
    title = f"{heading_} {found.original_label}: {found.original.title}"[:_LONGEST_TITLE]
    document = Document(
        title=title, search_title=fold(title), agency_id=found.agency_id, owner_id=found.asked_by, created_at=now
    )
    session.add(document)
    session.flush()
    first = DocumentVersion(
        document_id=document.id,
        number=1,
        sha256=sha256,
        size=size,
        pages=int(made["pages"]),
        signatures=0,
        made_by=MadeBy.COPY,
        person_id=found.asked_by,
        made_at=now,
    )
    session.add(first)
    session.flush()
    session.refresh(document)
    return document


def _enter(
    session: Session,
    found: DocumentCopy,
    series_id: UUID,
    number: int,
    written: str,
    statement: CopyStatement,
    document: Document,
    version: DocumentVersion,
    *,
    seal_id: UUID,
    clerk_id: UUID,
    now: datetime,
) -> Entry:
    """Write the line of the book of copies."""
    entry = Entry(
        series_id=series_id,
        number=number,
        label=written,
        issued_on=statement.issued_on,
        state=EntryState.ISSUED,
        subject=document.title,
        search_text=registers.search_text(written, document.title, found.purpose, found.asker.full_name),
        recipients=f"{found.asker.full_name}: {found.purpose}",
        pages=version.pages,
        document_id=document.id,
        version_id=version.id,
        seal_id=seal_id,
        clerk_id=clerk_id,
        made_at=now,
    )
    session.add(entry)
    session.flush()
    return entry
