"""Claims in documents' codes, what the public may learn of a document, and the published lists of keys."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.certificates.models import Certificate
from app.core.db import Base, PublicId
from app.documents.models import Document, DocumentVersion
from app.registry.models import Agency


class Claim(Base):
    """One document's code. Its row is made in the transaction that issues the document."""

    __tablename__ = "document_claim"
    __table_args__ = (
        CheckConstraint("octet_length(claim_id) = 8", name="claim_id_has_8_octets"),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_a_sha256"),
        CheckConstraint("document_class BETWEEN 0 AND 2", name="class_is_known"),
    )

    id: Mapped[PublicId]
    # What stands in the code: random, and says nothing by itself.
    claim_id: Mapped[bytes] = mapped_column(unique=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), unique=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), index=True)
    number: Mapped[str]
    issued_on: Mapped[date]
    # The version that the head signed: its SHA-256 and size stand in the code.
    signed_version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    digest: Mapped[bytes]
    document_class: Mapped[int]
    # The whole code, so that what somebody scanned can be compared to the last digit.
    digits: Mapped[str] = mapped_column(unique=True)
    # The seal whose key signed it.
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), index=True)
    # The version that was issued, code and seal included; None only within the transaction that issues.
    issued_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_version.id"))
    made_at: Mapped[datetime]
    # Since when the document is no longer in force.
    withdrawn_at: Mapped[datetime | None]

    document: Mapped[Document] = relationship(lazy="joined", innerjoin=True)
    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)
    certificate: Mapped[Certificate] = relationship()
    issued_version: Mapped[DocumentVersion | None] = relationship(foreign_keys=[issued_version_id], lazy="joined")


class Disclosure(Base):
    """The class that somebody chose for a document before it was issued; without a row it is restricted."""

    __tablename__ = "document_disclosure"
    __table_args__ = (CheckConstraint("document_class BETWEEN 0 AND 2", name="class_is_known"),)

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), primary_key=True)
    document_class: Mapped[int]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    chosen_at: Mapped[datetime]


class ClaimKeyList(Base):
    """A signed list of the keys of claims as the public page fetches it; `version` only rises."""

    __tablename__ = "claim_key_list"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # SHA-256 of what was signed, without its times: an unchanged list is signed anew only when it grows old.
    content_sha256: Mapped[bytes]
    body: Mapped[bytes]
    issued_at: Mapped[datetime]
