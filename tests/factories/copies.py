"""Certified copies: asked for by an official, agreed to by the clerk, made by the job."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from app.certificates import register
from app.core import db
from app.core.settings import Settings
from app.core.timestamping import timestamper
from app.records import copies, copying
from app.records.kinds import CopyForm
from app.records.models import DocumentCopy, Entry
from tests.factories import records, routes
from tests.factories.certificates import actor


def asked(
    document_id: UUID,
    form: CopyForm = CopyForm.FULL,
    *,
    by: str = "minh",
    pages: str = "",
    purpose: str = "Nộp hồ sơ đấu thầu",
) -> UUID:
    with db.transaction() as session:
        who, moment = actor(by), routes.now()
        return copies.ask(session, who, document_id, form, pages=pages, purpose=purpose, now=moment).id


def copy(copy_id: UUID) -> DocumentCopy:
    with db.transaction() as session:
        return session.get_one(DocumentCopy, copy_id)


def ordered(
    copy_id: UUID, *, by: str = "thu", password: str = records.PASSWORD, at: datetime | None = None
) -> DocumentCopy | None:
    """Agree to a copy, as the page does."""
    moment = at or datetime.now(UTC)
    with db.transaction() as session:
        seal = register.seal_of(session, copy(copy_id).agency_id, now=moment)
        return copies.order(
            session,
            actor(by),
            copy_id,
            seal_sha256=seal.sha256 or "" if seal is not None else "",
            password=password,
            now=moment,
        )


def made(settings: Settings, copy_id: UUID, *, at: datetime | None = None) -> Entry | None:
    """Make the copy, as the job does."""
    with db.transaction() as session:
        return copying.make(
            session,
            settings,
            records.storage(settings),
            copy_id,
            timestamp=timestamper(settings),
            now=at or datetime.now(UTC),
        )


def certified(settings: Settings, document_id: UUID, form: CopyForm = CopyForm.FULL, **asking: str) -> DocumentCopy:
    """Ask, agree, make."""
    copy_id = asked(document_id, form, **asking)
    assert ordered(copy_id) is not None
    assert made(settings, copy_id) is not None
    return copy(copy_id)
