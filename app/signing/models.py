"""Signing sessions: what was prepared for whom, until it is completed, abandoned or too old."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class SessionState(StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class SigningSession(Base):
    __tablename__ = "signing_session"
    __table_args__ = (
        # One ceremony at a time for a person and a paper; a new one ends the old.
        Index(
            "uq_signing_session_open",
            "document_id",
            "person_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[PublicId]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"))
    # The version that is signed; the new one is its only successor.
    base_version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), index=True)
    # What follows the base version in the file with an empty place for the signature, in storage.
    prepared_sha256: Mapped[str]
    # Digest, byte range and signed attributes, as pki.pades.prepare writes them.
    prepared_facts: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=SessionState.OPEN)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_version.id"))
