"""What the life of a certificate leaves: proofs of renewal, planned ends, notices, proposals, bulk revocations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class RenewalProof(Base):
    """That a request was signed with the key of the certificate that it renews: no officer has to decide on it."""

    __tablename__ = "certificate_renewal_proof"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("certificate_request.id"), primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"))
    # r and s by the old key over the new request (pki.renewal).
    signature: Mapped[bytes]
    proven_at: Mapped[datetime]


class Succession(Base):
    """A certificate whose place a newer one took: it ends a few days later, so that signing under way is not cut."""

    __tablename__ = "certificate_succession"
    __table_args__ = (Index(None, "ends_at", postgresql_where=text("ended_at IS NULL")),)

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    successor_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"))
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ExpiryNotice(Base):
    """One row for each certificate and step (days before its end): nobody is told the same thing twice."""

    __tablename__ = "expiry_notice"

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # Whether a message was queued; False where there is no address or a newer certificate.
    told: Mapped[bool]
    noticed_at: Mapped[datetime]


class Cause(StrEnum):
    """Why the house proposes to end a certificate."""

    LEFT_POST = "left_post"
    AGENCY_MERGED = "agency_merged"


class Decision(StrEnum):
    SUSPEND = "suspend"
    REVOKE = "revoke"
    # The certificate stays.
    KEEP = "keep"


class Proposal(Base):
    """The house proposes to suspend or revoke; an administrator decides."""

    __tablename__ = "certificate_proposal"
    __table_args__ = (
        Index(
            "uq_certificate_proposal_open", "certificate_id", unique=True, postgresql_where=text("decided_at IS NULL")
        ),
        Index("ix_certificate_proposal_open", "proposed_at", postgresql_where=text("decided_at IS NULL")),
    )

    id: Mapped[PublicId]
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"))
    # As in the certificate, for the scope.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    # A Cause.
    cause: Mapped[str]
    proposed_at: Mapped[datetime]
    alarmed_at: Mapped[datetime | None]
    # A Decision.
    decision: Mapped[str | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]


class BulkKind(StrEnum):
    REVOKE = "revoke"
    SUSPEND = "suspend"
    RELEASE = "release"


class BulkState(StrEnum):
    # The dry run; its rows may not change once it is submitted.
    DRAFT = "draft"
    # Waits for the second person.
    SUBMITTED = "submitted"
    RUNNING = "running"
    DONE = "done"
    # Refused, withdrawn, expired or thrown away.
    CANCELLED = "cancelled"


class Finding(StrEnum):
    """What the dry run says of a row."""

    READY = "ready"
    UNREADABLE = "unreadable"
    NOT_FOUND = "not_found"
    TWICE = "twice"
    # In the state that was asked for already, or in one that cannot get there.
    ALREADY = "already"
    ENDED = "ended"
    # Nobody releases their own.
    OWN = "own"


class BulkRevocation(Base):
    """Many certificates that end, pause or come back in one act."""

    __tablename__ = "bulk_revocation"
    __table_args__ = (Index(None, "created_at"),)

    id: Mapped[PublicId]
    # A BulkKind.
    kind: Mapped[str]
    # A pki.revocation.RevocationReason; None for a release.
    reason: Mapped[int | None]
    invalidity_date: Mapped[datetime | None]
    state: Mapped[str]
    # Where the list came from, in the words of a program: `list`, `search`, `proposals`, `undo`.
    source: Mapped[str]
    # The agency within whose scope the list was read; None for the whole city.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    # The act in app.approvals, and SHA-256 over kind, reason, date and the exact list of certificates.
    act_id: Mapped[UUID | None]
    digest: Mapped[str]
    rows: Mapped[int]
    ready: Mapped[int]
    # The last row number that was worked off, and what came of the rows until there.
    cursor: Mapped[int] = mapped_column(server_default="0")
    changed: Mapped[int] = mapped_column(server_default="0")
    skipped: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class BulkRow(Base):
    """One line of the list: what was given, what was found, what became of it."""

    __tablename__ = "bulk_revocation_row"

    bulk_id: Mapped[UUID] = mapped_column(ForeignKey("bulk_revocation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # As it was typed, cut at 100 characters.
    given: Mapped[str]
    certificate_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificate.id"))
    # A Finding.
    finding: Mapped[str]
    # None until it was worked off; then whether the certificate's state was changed.
    changed: Mapped[bool | None]
