"""Papers, their versions, and who was asked to sign them. The bytes lie in storage, under their digest."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.registry.models import Agency, Person


class MadeBy(StrEnum):
    """What made a version out of the one before."""

    UPLOAD = "upload"
    # The places of all signatures to come were made.
    FIELDS = "fields"
    INITIALS = "initials"
    SIGNATURE = "signature"
    # Number, date and the agency's seal.
    SEAL = "seal"
    # Status answers and timestamps for the archive.
    PROOFS = "proofs"
    # A citizen filled an agency's form.
    FORM = "form"
    # Sheets of an issued document, for a certified copy of it.
    COPY = "copy"


class Level(StrEnum):
    """How far a signed file proves itself (ETSI EN 319 142-1, 6)."""

    BASIC = "B-B"
    TIMESTAMP = "B-T"
    LONG_TERM = "B-LT"
    ARCHIVE = "B-LTA"


class RequestState(StrEnum):
    ASKED = "asked"
    SIGNED = "signed"


class DocumentState(StrEnum):
    """What a person wants to know of a paper, in one word."""

    UNSIGNED = "unsigned"
    ASKED = "asked"
    SIGNED = "signed"


class Document(Base):
    __tablename__ = "document"
    __table_args__ = (Index(None, "agency_id", "created_at"),)

    id: Mapped[PublicId]
    title: Mapped[str]
    search_title: Mapped[str]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    # The document that this one stands in for, and when nobody was to sign this one any more.
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"), unique=True)
    withdrawn_at: Mapped[datetime | None]

    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)
    owner: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    versions: Mapped[list[DocumentVersion]] = relationship(
        back_populates="document", lazy="selectin", order_by="DocumentVersion.number"
    )
    requests: Mapped[list[SignatureRequest]] = relationship(
        back_populates="document", lazy="selectin", order_by="SignatureRequest.asked_at"
    )

    @property
    def newest(self) -> DocumentVersion:
        return self.versions[-1]

    @property
    def state(self) -> DocumentState:
        if any(one.state == RequestState.ASKED for one in self.requests):
            return DocumentState.ASKED
        return DocumentState.SIGNED if self.newest.signatures else DocumentState.UNSIGNED


class DocumentVersion(Base):
    __tablename__ = "document_version"
    # One successor for each version: of two who sign the same one, the second is refused by the database.
    __table_args__ = (UniqueConstraint("document_id", "number"),)

    id: Mapped[PublicId]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"))
    # From 1, without gaps; the version it was made from is the one before.
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    pages: Mapped[int]
    # How many signatures it carries, those that came with the upload included.
    signatures: Mapped[int]
    made_by: Mapped[str]
    # None without signatures of the house.
    level: Mapped[str | None]
    # The timestamp service did not answer; a job asks again, and until then the level is lower than it should be.
    timestamp_pending: Mapped[bool] = mapped_column(server_default=false())
    # Who uploaded or signed; for what the house did by itself, who had it done.
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]
    # Codes of app.documents.notices: what was done to the file when it was brought.
    notices: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))

    document: Mapped[Document] = relationship(back_populates="versions")
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class SignatureRequest(Base):
    """The owner asks an official, perhaps of another agency, to sign; it lets that person see the paper."""

    __tablename__ = "signature_request"
    __table_args__ = (
        UniqueConstraint("document_id", "person_id"),
        Index(None, "person_id", postgresql_where=text("state = 'asked'")),
    )

    id: Mapped[PublicId]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(server_default=RequestState.ASKED)
    asked_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]

    document: Mapped[Document] = relationship(back_populates="requests")
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
