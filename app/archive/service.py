"""Which level a signed document should have, when its proofs end, and putting what was added into its versions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.archive import clock, raising
from app.archive.models import ArchiveEntry, Failure
from app.archive.raising import Raised, raise_to, reaches
from app.audit import service as audit
from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.timestamping import Timestamper
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, Level, MadeBy, RequestState, SignatureRequest
from app.registry import scope
from app.routes.models import Route, RouteDocument, RouteState

AUGMENT_TASK: Final = "archive.augment"
_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(hours=6)
# While a route is in one of these, further signatures are expected: at the end the seal, with all proofs at once.
_ON_THE_WAY: Final = (RouteState.DRAFT, RouteState.RUNNING, RouteState.DECLINED, RouteState.SIGNED)
_SIGNER_EXPECTED: Final = select(
    exists().where(
        SignatureRequest.document_id == bindparam("document_id"), SignatureRequest.state == RequestState.ASKED
    )
    | exists().where(
        RouteDocument.document_id == bindparam("document_id"),
        RouteDocument.route_id == Route.id,
        Route.state.in_(_ON_THE_WAY),
    )
)
_INSERT: Final = insert(ArchiveEntry)
_NOTED: Final = (
    "version_id", "level", "wanted", "renew_by", "pending_since", "try_at", "attempts", "failure", "checked_at",
    "checked_by", "leased_until",
)  # fmt: skip
_NOTE: Final = _INSERT.on_conflict_do_update(
    index_elements=[ArchiveEntry.document_id], set_={name: _INSERT.excluded[name] for name in _NOTED}
)


def note(
    session: Session,
    document: Document,
    version: DocumentVersion,
    *,
    now: datetime,
    renew_by: datetime | None = None,
) -> None:
    """Tell the archive of a new signed version, in the transaction that adds it, after everything else was noted.

    Signing and issuing call it; `renew_by` is what `augment_to` said, if the version came from there. A job is queued
    when the level is lower than the document needs by now.
    """
    if version.level is None:
        return
    wanted = wanted_level(session, document, version)
    behind = version.timestamp_pending or not reaches(version.level, wanted)
    row = {
        "document_id": document.id,
        "version_id": version.id,
        "level": version.level,
        "wanted": wanted,
        "renew_by": now if version.level == Level.BASIC else renew_by or clock.renew_by(session, now=now),
        "pending_since": now if behind else None,
        "try_at": now if behind else None,
        "attempts": 0,
        "failure": None,
        "checked_at": None,
        "checked_by": None,
        "leased_until": None,
    }
    session.execute(_NOTE, row)
    if behind:
        enqueue(session, AUGMENT_TASK, {"document_id": str(document.id)}, queueing_lock=f"{AUGMENT_TASK}:{document.id}")


def wanted_level(session: Session, document: Document, version: DocumentVersion) -> Level:
    """Return the level that a document needs by now: a timestamp, material once nobody is expected, all at issue."""
    if version.made_by == MadeBy.SEAL or version.level == Level.ARCHIVE:
        return Level.ARCHIVE
    is_expected = session.scalar(_SIGNER_EXPECTED, {"document_id": document.id})
    return Level.TIMESTAMP if is_expected else Level.LONG_TERM


def augment_to(
    session: Session,
    settings: Settings,
    pdf: raising.Base,
    *,
    level: Level,
    timestamp: Timestamper,
) -> Raised:
    """Return what lifts a signed file to `level`: see `raising.raise_to`. Stores nothing."""
    return raise_to(session, settings, pdf, level=level, timestamp=timestamp)


def find(session: Session, actor: Actor, document_id: UUID) -> tuple[Document, ArchiveEntry]:
    """Return a document and what the archive knows of it. Raises NotFound, also for one that nobody signed.

    Whoever looks after the archive of an agency sees until when its documents hold, and the title, not the file.
    """
    seen = or_(documents.visible(actor), scope.within(actor, Permission.READ_ARCHIVE, Document.agency_id))
    document = session.scalar(select(Document).where(Document.id == document_id, seen))
    entry = session.get(ArchiveEntry, document_id) if document is not None else None
    if document is None or entry is None:
        raise NotFound(_l("There is no such document in the archive, or it belongs to another agency."))
    return document, entry


def augment(
    session: Session,
    settings: Settings,
    storage: Storage,
    actor: Actor,
    document_id: UUID,
    *,
    timestamp: Timestamper,
    now: datetime,
) -> DocumentVersion | None:
    """Add to a document what its level lacks, as a version of its own; None if nothing is missing any more.

    Raises Unavailable, PdfRefused: note it with `note_failure` in a transaction of its own.
    """
    document = documents.find(session, actor, document_id, for_change=True)
    entry = session.get(ArchiveEntry, document_id, with_for_update=True)
    if entry is None or entry.pending_since is None:
        return None
    base = document.newest
    wanted = Level(entry.wanted)
    raised = raise_to(session, settings, storage.path_of(base.sha256), level=wanted, timestamp=timestamp)
    entry.tried_at = now
    if not raised.appended:
        # The file was better than its row said.
        entry.level, entry.renew_by = raised.level, raised.renew_by
        entry.pending_since = entry.try_at = entry.failure = None
        return None
    return store(session, storage, actor, document, base, raised, now=now)


def store(
    session: Session,
    storage: Storage,
    actor: Actor,
    document: Document,
    base: DocumentVersion,
    raised: Raised,
    *,
    now: datetime,
) -> DocumentVersion:
    """Add the version made of `base` and what was appended. Raises Conflict if somebody signed in the meantime."""
    made = documents.add_version(
        session,
        document,
        base=base,
        made_by=MadeBy.PROOFS,
        sha256=storage.put_after(base.sha256, raised.appended),
        size=base.size + len(raised.appended),
        pages=base.pages,
        signatures=base.signatures,
        person_id=base.person_id,
        level=raised.level,
        now=now,
    )
    note(session, document, made, now=now, renew_by=raised.renew_by)
    audit.record(
        session,
        actor,
        "proofs_added",
        object_kind="document",
        object_id=document.id,
        agency_id=document.agency_id,
        number=made.number,
        level=raised.level,
        sha256=made.sha256,
    )
    return made


def note_failure(session: Session, document_id: UUID, failure: Failure, *, now: datetime) -> None:
    """Note why nothing was added, and when it is tried again: after a wait that doubles, at most six hours."""
    entry = session.get(ArchiveEntry, document_id, with_for_update=True)
    if entry is None:
        return
    entry.failure, entry.tried_at, entry.leased_until = failure, now, None
    entry.try_at = now + min(_FIRST_WAIT * 2 ** min(entry.attempts, 12), _LONGEST_WAIT)
    entry.attempts += 1


def work_out_missing(session: Session, *, now: datetime) -> None:
    """Give a date to documents that were signed before there was an archive: what a timestamp of today would have."""
    session.execute(
        update(ArchiveEntry).where(ArchiveEntry.renew_by.is_(None)).values(renew_by=clock.renew_by(session, now=now))
    )


def pending(session: Session, *, now: datetime, limit: int = 100) -> list[UUID]:
    """Return documents whose level is too low and whose turn it is again, those waiting longest first."""
    query = (
        select(ArchiveEntry.document_id)
        .where(ArchiveEntry.pending_since.is_not(None), ArchiveEntry.try_at <= now)
        .order_by(ArchiveEntry.try_at)
        .limit(limit)
    )
    return list(session.scalars(query))
