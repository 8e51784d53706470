"""Forms that agencies publish, and what citizens sent in with them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.documents.models import Document
from app.registry.models import Agency, Person


class SubmissionState(StrEnum):
    # Filled in, perhaps signed; nobody but the citizen sees it.
    DRAFT = "draft"
    RECEIVED = "received"
    IN_WORK = "in_work"
    DONE = "done"
    SENT_BACK = "sent_back"
    # The citizen took it back before it was done.
    WITHDRAWN = "withdrawn"


class CitizenForm(Base):
    """A fillable PDF of an agency. What is published is never changed: another edition takes its place."""

    __tablename__ = "citizen_form"
    __table_args__ = (Index(None, "agency_id", postgresql_where=text("ended_at IS NULL")),)

    id: Mapped[PublicId]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    title: Mapped[str]
    search_title: Mapped[str]
    # What it is for, in a sentence.
    purpose: Mapped[str]
    # The blank form in storage.
    pdf_sha256: Mapped[str]
    pages: Mapped[int]
    # As app.citizen_forms.fields describes them.
    fields: Mapped[dict[str, Any]]
    published_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    published_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)


class Submission(Base):
    """One form that one citizen filled in. The paper itself is a document, seen by the citizen and the inbox alone."""

    __tablename__ = "form_submission"
    __table_args__ = (
        Index(None, "agency_id", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
        Index(None, "person_id", "filled_at"),
    )

    id: Mapped[PublicId]
    # What people say on the telephone: `HS-4K7Q-9MTC`.
    reference: Mapped[str] = mapped_column(unique=True)
    form_id: Mapped[UUID] = mapped_column(ForeignKey("citizen_form.id"), index=True)
    # As the form's, for the inbox.
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), unique=True)
    # Name of the field -> what was entered: a text, a choice, "1" for a ticked box.
    answers: Mapped[dict[str, Any]]
    state: Mapped[str]
    filled_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    handled_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    # What the agency wrote when it was done or sent back.
    note: Mapped[str | None]
    # What the check said when it was received: a pki.pades.report.Verdict and Reason.
    verdict: Mapped[str | None]
    verdict_reason: Mapped[str | None]

    form: Mapped[CitizenForm] = relationship(lazy="joined", innerjoin=True)
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    document: Mapped[Document] = relationship(lazy="joined", innerjoin=True)
