"""What the archive knows of each signed document, and the runs that renew many of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.documents.models import Document, DocumentVersion


class RunState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


class Failure(StrEnum):
    """Why the last attempt at a document added nothing."""

    # No timestamp, or no answer about a certificate's status.
    SERVICE_SILENT = "service_silent"
    # The file could not be opened in the limited process.
    FILE_REFUSED = "file_refused"
    # Another program, or our own check, did not accept what was made.
    CHECK_FAILED = "check_failed"
    # Somebody signed in the meantime; the newest version is taken next.
    OVERTAKEN = "overtaken"


class ArchiveEntry(Base):
    """The newest version of one signed document and when its proofs have to be renewed."""

    __tablename__ = "archive_entry"
    __table_args__ = (
        CheckConstraint("level IN ('B-B', 'B-T', 'B-LT', 'B-LTA')", name="level_is_known"),
        CheckConstraint("wanted IN ('B-T', 'B-LT', 'B-LTA')", name="wanted_is_known"),
        # What is due next.
        Index("ix_archive_entry_due", "renew_by", "document_id"),
        Index("ix_archive_entry_pending", "try_at", postgresql_where=text("pending_since IS NOT NULL")),
        Index("ix_archive_entry_failed", "tried_at", postgresql_where=text("failure IS NOT NULL")),
    )

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), primary_key=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    level: Mapped[str]
    # The level that it should have by now.
    wanted: Mapped[str]
    # Before this moment a further proof must be added; None until it is worked out.
    renew_by: Mapped[datetime | None]
    # Since when the level is lower than it should be.
    pending_since: Mapped[datetime | None]
    # Not before this moment is it tried again.
    try_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    tried_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    # When programs of others found the newest version good, and which ones.
    checked_at: Mapped[datetime | None]
    checked_by: Mapped[str | None]
    # Whoever renews it has until then.
    leased_until: Mapped[datetime | None]

    document: Mapped[Document] = relationship(lazy="raise")
    version: Mapped[DocumentVersion] = relationship(lazy="raise")


class ArchiveRun(Base):
    """Somebody, or the clock, had everything renewed that is due before a moment."""

    __tablename__ = "archive_run"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'paused', 'done')", name="state_is_known"),
        # One at a time.
        Index("uq_archive_run_open", text("(state <> 'done')"), unique=True, postgresql_where=text("state <> 'done'")),
    )

    id: Mapped[PublicId]
    # None for the clock of the house.
    started_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    started_at: Mapped[datetime]
    # Everything that has to be renewed before this moment.
    due_before: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default=RunState.RUNNING)
    total: Mapped[int]
    finished_at: Mapped[datetime | None]


class ArchiveStep(Base):
    """One batch of a run: how many were renewed in it, and how many were not."""

    __tablename__ = "archive_step"
    __table_args__ = (Index(None, "run_id", "done_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("archive_run.id"))
    done_at: Mapped[datetime]
    renewed: Mapped[int]
    failed: Mapped[int]
