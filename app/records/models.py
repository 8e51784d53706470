"""The agencies' books of documents: series, their entries, and requests to issue that wait for `worker`."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.step_up_models import StepUp
from app.certificates.models import Certificate
from app.core.db import Base, PublicId
from app.documents.models import Document, DocumentVersion
from app.registry.models import Agency, Person
from app.routes.models import Route


class EntryState(StrEnum):
    ISSUED = "issued"
    # Taken for a paper that is not in the house (a confidential one, one on paper only).
    RESERVED = "reserved"
    # Reserved and given up; it stays in the book with its explanation.
    UNUSED = "unused"
    # Issued and cancelled afterwards, with an explanation.
    CANCELLED = "cancelled"


class RequestState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class CopyState(StrEnum):
    # Somebody asks for it; a clerk looks at it.
    ASKED = "asked"
    # A clerk agreed, and `worker` is at it.
    WAITING = "waiting"
    DONE = "done"
    DECLINED = "declined"


class Series(Base):
    """The numbers of one kind of document, of one agency, from 1 January to 31 December. Its row is the lock.

    What the last number is, is said by the entries alone; the database refuses a gap, a repetition and a date back.
    """

    __tablename__ = "register_series"
    __table_args__ = (UniqueConstraint("agency_id", "kind", "year"),)

    id: Mapped[PublicId]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    kind: Mapped[str]
    year: Mapped[int]

    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)


class Symbol(Base):
    """What an agency writes behind the number of one kind of document, where it differs from the usual."""

    __tablename__ = "register_symbol"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str]
    chosen_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    chosen_at: Mapped[datetime]


class Entry(Base):
    """One line of a book. Number, date and document never change; its state and explanation may, once."""

    __tablename__ = "register_entry"
    __table_args__ = (
        UniqueConstraint("series_id", "number"),
        CheckConstraint("number > 0", name="counts_from_one"),
        CheckConstraint("state IN ('issued', 'reserved', 'unused', 'cancelled')", name="state_is_known"),
        CheckConstraint("(document_id IS NULL) = (state IN ('reserved', 'unused'))", name="issued_has_a_document"),
        CheckConstraint("(state IN ('unused', 'cancelled')) = (explanation IS NOT NULL)", name="given_up_is_explained"),
        Index(None, "issued_on"),
    )

    id: Mapped[PublicId]
    series_id: Mapped[UUID] = mapped_column(ForeignKey("register_series.id"))
    number: Mapped[int]
    # As it stands on the paper: `05/QĐ-SKHCN`.
    label: Mapped[str]
    issued_on: Mapped[date]
    state: Mapped[str]
    # What it is about (trích yếu); for a reserved number what it is kept for.
    subject: Mapped[str]
    search_text: Mapped[str]
    recipients: Mapped[str]
    pages: Mapped[int | None]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"), unique=True)
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_version.id"))
    route_id: Mapped[UUID | None] = mapped_column(ForeignKey("route.id"), index=True)
    signer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    seal_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificate.id"))
    clerk_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]
    explanation: Mapped[str | None]
    explained_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    explained_at: Mapped[datetime | None]

    series: Mapped[Series] = relationship(lazy="joined", innerjoin=True)
    document: Mapped[Document | None] = relationship()
    signer: Mapped[Person | None] = relationship(foreign_keys=signer_id, lazy="joined")
    clerk: Mapped[Person] = relationship(foreign_keys=clerk_id, lazy="joined", innerjoin=True)
    explainer: Mapped[Person | None] = relationship(foreign_keys=explained_by, lazy="joined")
    seal: Mapped[Certificate | None] = relationship()


class IssueRequest(Base):
    """A clerk's order to number, date and seal the papers of a route; `worker` carries it out."""

    __tablename__ = "issue_request"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'refused')", name="state_is_known"),
        CheckConstraint("(state = 'done') = (entry_id IS NOT NULL)", name="done_has_an_entry"),
        Index("uq_issue_request_waiting", "route_id", unique=True, postgresql_where=text("state = 'waiting'")),
        Index(None, "agency_id", "asked_at"),
    )

    id: Mapped[PublicId]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"))
    # Holds the statement: all that is to be done.
    step_up_id: Mapped[UUID] = mapped_column(ForeignKey("step_up.id"), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(server_default=RequestState.WAITING)
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("register_entry.id"))
    # How often it was tried, and why the last try or the whole request came to nothing (a code of `words.FAULTS`).
    tries: Mapped[int] = mapped_column(server_default="0")
    fault: Mapped[str | None]

    route: Mapped[Route] = relationship(lazy="joined", innerjoin=True)
    step_up: Mapped[StepUp] = relationship(lazy="joined", innerjoin=True)
    entry: Mapped[Entry | None] = relationship(lazy="joined")


class DocumentCopy(Base):
    """A certified copy of an issued document: who asked for it, what became of it, and which file it is.

    A request that could not be carried out waits again for the clerk, with the fault beside it.
    """

    __tablename__ = "document_copy"
    __table_args__ = (
        CheckConstraint("form IN ('SY', 'SL', 'TrS')", name="form_is_known"),
        CheckConstraint("state IN ('asked', 'waiting', 'done', 'declined')", name="state_is_known"),
        CheckConstraint("(form = 'TrS') = (pages IS NOT NULL)", name="an_extract_has_pages"),
        CheckConstraint("(state = 'done') = (document_id IS NOT NULL)", name="done_has_a_document"),
        CheckConstraint("(document_id IS NULL) = (entry_id IS NULL)", name="document_has_an_entry"),
        CheckConstraint("(state = 'declined') = (reason IS NOT NULL)", name="declined_says_why"),
        CheckConstraint("state <> 'waiting' OR step_up_id IS NOT NULL", name="waiting_was_agreed_to"),
        Index(
            "uq_document_copy_open",
            "original_id",
            "agency_id",
            "form",
            text("coalesce(pages, '')"),
            unique=True,
            postgresql_where=text("state IN ('asked', 'waiting')"),
        ),
        Index(None, "original_id"),
        Index(None, "agency_id", "asked_at"),
    )

    id: Mapped[PublicId]
    # What is copied: the version that was issued.
    original_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"))
    original_version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    # Number and symbol of the original.
    original_label: Mapped[str]
    form: Mapped[str]
    # Of an extract: `1,3-5`.
    pages: Mapped[str | None]
    # Whose seal it bears and in whose book it stands.
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    purpose: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=CopyState.ASKED)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    clerk_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    step_up_id: Mapped[UUID | None] = mapped_column(ForeignKey("step_up.id"), unique=True)
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    fault: Mapped[str | None]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"), unique=True)
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("register_entry.id"), unique=True)

    original: Mapped[Document] = relationship(foreign_keys=original_id, lazy="joined", innerjoin=True)
    original_version: Mapped[DocumentVersion] = relationship(lazy="joined", innerjoin=True)
    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)
    asker: Mapped[Person] = relationship(foreign_keys=asked_by, lazy="joined", innerjoin=True)
    clerk: Mapped[Person | None] = relationship(foreign_keys=clerk_id, lazy="joined")
    document: Mapped[Document | None] = relationship(foreign_keys=document_id)
    entry: Mapped[Entry | None] = relationship(lazy="joined")
