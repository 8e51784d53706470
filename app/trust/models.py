"""Roots from outside, the hosts that may be asked about certificates below them, and what those answered.

Nothing of a root or a host changes but its removal (migration 0023): who wants something else asks for another one.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class Kind(StrEnum):
    """Whose root it is; it decides what a signature below it is called, never whether it is valid."""

    # Of this city, made elsewhere or before.
    OWN = "own"
    # Above the public certification authorities (Law 20/2023, Art. 22).
    NATIONAL = "national"
    # Of the Government Cipher Committee, for acts of office (Decree 68/2024).
    GOVERNMENT = "government"
    # Of another organisation, for its own affairs.
    ORGANISATION = "organisation"


class Failure(StrEnum):
    """Why an outside authority's answer was none."""

    NO_ADDRESS = "no_address"
    PRIVATE_ADDRESS = "private_address"
    SILENT = "silent"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    # It came, and proves nothing: unreadable, by the wrong signer, about others, or out of date.
    WORTHLESS = "worthless"


class TrustAnchor(Base):
    __tablename__ = "trust_anchor"
    __table_args__ = (
        CheckConstraint("kind IN ('own', 'national', 'government', 'organisation')", name="kind_is_known"),
        CheckConstraint("sha256 = encode(sha256(certificate_der), 'hex')", name="fingerprint_is_of_the_certificate"),
        CheckConstraint(
            "(removed_at IS NULL) = (removal_act_id IS NULL) AND (removed_at IS NULL) = (removal_reason IS NULL)",
            name="removed_by_an_act_with_a_reason",
        ),
        Index(None, "sha256", unique=True, postgresql_where=text("removed_at IS NULL")),
    )

    id: Mapped[PublicId]
    certificate_der: Mapped[bytes]
    # Lower-case hex, as it is compared by eye.
    sha256: Mapped[str]
    # RFC 4514, for lists; the certificate is what counts.
    subject: Mapped[str]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    kind: Mapped[str]
    # Authorities below it that came along: help for finding paths, trusted only through the root.
    below_der: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary()))
    reason: Mapped[str]
    # Who asked and who approved stands in the act.
    act_id: Mapped[UUID] = mapped_column(ForeignKey("act_request.id"), unique=True)
    imported_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removal_reason: Mapped[str | None]
    removal_act_id: Mapped[UUID | None] = mapped_column(ForeignKey("act_request.id"), unique=True)


class TrustHost(Base):
    """A host that may be asked for revocation lists and OCSP answers."""

    __tablename__ = "trust_host"
    __table_args__ = (
        CheckConstraint("host = lower(host) AND host <> ''", name="host_is_lower_case"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port_is_one"),
        CheckConstraint(
            "(removed_at IS NULL) = (removed_by IS NULL) AND (removed_at IS NULL) = (removal_reason IS NULL)",
            name="removed_by_somebody_with_a_reason",
        ),
        Index(
            None,
            "host",
            "port",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[PublicId]
    # A name in ASCII (IDNA), or an IP address without brackets.
    host: Mapped[str]
    # None: 80 for http and 443 for https.
    port: Mapped[int | None]
    # May lie in the city's own network: private and loopback addresses are then allowed.
    may_be_private: Mapped[bool]
    reason: Mapped[str]
    act_id: Mapped[UUID] = mapped_column(ForeignKey("act_request.id"), unique=True)
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    removal_reason: Mapped[str | None]


class TrustEvidence(Base):
    """The last answer to one question; asked again when `again_at` has passed, and not before, also after a failure."""

    __tablename__ = "trust_evidence"
    __table_args__ = (
        CheckConstraint("kind IN ('crl', 'ocsp')", name="kind_is_known"),
        CheckConstraint("(der IS NULL) = (next_update IS NULL)", name="answer_says_until_when"),
        CheckConstraint("der IS NOT NULL OR failure IS NOT NULL", name="an_answer_or_a_failure"),
    )

    # SHA-256 of the address, for OCSP of the request, and of the issuer whose answer it should be.
    question: Mapped[bytes] = mapped_column(primary_key=True)
    anchor_id: Mapped[UUID] = mapped_column(ForeignKey("trust_anchor.id"), index=True)
    kind: Mapped[str]
    url: Mapped[str]
    # The last answer that was worth something; it counts until `next_update`, whatever came after it.
    der: Mapped[bytes | None] = mapped_column(deferred=True)
    next_update: Mapped[datetime | None]
    # What the last attempt failed with; None if it did not.
    failure: Mapped[str | None]
    asked_at: Mapped[datetime]
    again_at: Mapped[datetime] = mapped_column(index=True)
