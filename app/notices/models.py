"""The outbox: every message the house sends, and whether a mail server has taken it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class NoticeState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    # Tried, and tried again by itself.
    FAILED = "failed"
    # Refused for good, or sent back: somebody has to look at the address.
    BOUNCED = "bounced"
    # A newer message about the same thing went out instead.
    REPLACED = "replaced"


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (
        Index(None, "created_at"),
        Index(None, "subject_kind", "subject_id"),
        # Few among many: what somebody has to look at.
        Index(
            "ix_notice_failed", "subject_kind", "subject_id", postgresql_where=text("state IN ('failed', 'bounced')")
        ),
    )

    id: Mapped[PublicId]
    kind: Mapped[str]
    # What it is about, for the page of that thing.
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    agency_id: Mapped[UUID | None]
    recipient: Mapped[str]
    title: Mapped[str]
    # The whole message as it goes over the wire; its Message-ID stays the same at every attempt.
    mime: Mapped[bytes]
    state: Mapped[str] = mapped_column(server_default=NoticeState.QUEUED)
    attempts: Mapped[int] = mapped_column(server_default="0")
    # Class of the last failure or status of the report (RFC 3463), never its text: it may hold an address.
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
