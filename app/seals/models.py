"""Each use of an agency's seal. The seals themselves are certificates."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.step_up_models import StepUp
from app.certificates.models import Certificate
from app.core.db import Base, PublicId
from app.documents.models import Document, DocumentVersion
from app.registry.models import Agency, Person


class SealUse(Base):
    """The seal's key signed one file. Written in the transaction that adds the file; rows are only ever added."""

    __tablename__ = "seal_use"
    __table_args__ = (
        CheckConstraint("octet_length(document_digest) = 32", name="digest_is_a_sha256"),
        Index(None, "agency_id", "used_at"),
    )

    id: Mapped[PublicId]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), index=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"), unique=True)
    # Number and symbol under which the document stands in the agency's book.
    number: Mapped[str]
    # Over the byte range, as it stands in the signature.
    document_digest: Mapped[bytes]
    # The clerk, and the evidence that it was the clerk.
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    step_up_id: Mapped[UUID] = mapped_column(ForeignKey("step_up.id"), index=True)
    used_at: Mapped[datetime]

    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)
    certificate: Mapped[Certificate] = relationship()
    document: Mapped[Document] = relationship(lazy="joined", innerjoin=True)
    version: Mapped[DocumentVersion] = relationship()
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    step_up: Mapped[StepUp] = relationship()
