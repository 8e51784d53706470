"""Authorities, requests, certificates, revocations, and the lists published of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Sequence, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId


class RequestState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    ISSUED = "issued"
    FAILED = "failed"


class CertificateState(StrEnum):
    # The intent is recorded; whether it was signed is not known yet.
    PREPARED = "prepared"
    ISSUED = "issued"
    # certificateHold: the only state one comes back from.
    HELD = "held"
    REVOKED = "revoked"
    # May or may not have been signed before a crash: never used, and listed as revoked.
    ABANDONED = "abandoned"


class Authority(Base):
    __tablename__ = "authority"

    __table_args__ = (UniqueConstraint("profile", "generation"),)

    id: Mapped[PublicId]
    # The name in the addresses of its certificate and lists: its profile, and from the second generation on its number.
    name: Mapped[str] = mapped_column(unique=True)
    # A pki.profiles.ProfileName.
    profile: Mapped[str]
    generation: Mapped[int] = mapped_column(server_default="1")
    # Since when it issues nothing more; its lists and answers go on until its certificates have ended.
    retired_at: Mapped[datetime | None]
    certificate_der: Mapped[bytes]
    # Where the key lies, below the key folder; None for a root whose key was taken away.
    key_reference: Mapped[str | None]
    # How many CRLs its certificates are spread over; fixed for good, since each certificate names its own.
    shards: Mapped[int]
    issuer_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"))
    # Since when the authority's own certificate is on its issuer's list, and the code of the reason.
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[int | None]


class CertificateRequest(Base):
    __tablename__ = "certificate_request"
    __table_args__ = (
        # Nobody decides on what they asked for themselves.
        CheckConstraint("decided_by <> requested_by", name="decided_by_another"),
        Index(
            "uq_certificate_request_open_person",
            "person_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'approved')"),
        ),
        Index(None, "state", "requested_at"),
    )

    id: Mapped[PublicId]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    # The agency of the post it is for; None for a citizen.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    profile: Mapped[str]
    spki_der: Mapped[bytes]
    spki_sha256: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=RequestState.REQUESTED)
    # None for somebody whom an approved campaign invited: they have no account yet.
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    # The reason given to the person when it was refused.
    note: Mapped[str | None]
    # The certificate that ends when this one is issued.
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificate.id"))
    certificate_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificate.id"))


class Certificate(Base):
    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("authority_id", "serial"),
        Index(None, "person_id"),
        Index(None, "agency_id"),
        Index(None, "spki_sha256"),
        # What ends soon: notices, and the filter of the register.
        Index("ix_certificate_ending", "not_after", "id", postgresql_where=text("state = 'issued'")),
        # What is rare has an index of its own, so that a campaign for citizens does not pay for it.
        Index("ix_certificate_not_in_force", "state", "not_after", postgresql_where=text("state <> 'issued'")),
        Index("ix_certificate_not_of_citizens", "profile", postgresql_where=text("profile <> 'citizen_signing'")),
    )

    id: Mapped[PublicId]
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    # Big-endian, as many octets as it needs: eighteen.
    serial: Mapped[bytes]
    shard: Mapped[int]
    state: Mapped[str]
    profile: Mapped[str]
    profile_digest: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    # Common name of the subject, and the same folded for search.
    label: Mapped[str]
    search_name: Mapped[str] = mapped_column(index=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    spki_sha256: Mapped[str]
    # The intent: what is, was, or would have been signed. None where the intent stood elsewhere (campaigns).
    tbs_der: Mapped[bytes | None]
    der: Mapped[bytes | None]
    sha256: Mapped[str | None] = mapped_column(unique=True)
    # For keys that the house holds (services, agencies); None where the key is the holder's own.
    key_reference: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)

    authority: Mapped[Authority] = relationship(lazy="joined")
    revocation: Mapped[Revocation | None] = relationship(lazy="joined", back_populates="certificate")

    @property
    def serial_hex(self) -> str:
        return self.serial.hex()

    @property
    def serial_number(self) -> int:
        return int.from_bytes(self.serial, "big")


class Revocation(Base):
    """One row for each certificate that is revoked or held; releasing a hold removes it (the log of acts keeps it)."""

    __tablename__ = "revocation"
    __table_args__ = (Index(None, "authority_id", "shard"),)

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    # As in the certificate, so that a list is made from this table alone.
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    serial: Mapped[bytes]
    shard: Mapped[int]
    not_after: Mapped[datetime]
    # A pki.revocation.RevocationReason.
    reason: Mapped[int]
    revoked_at: Mapped[datetime]
    invalidity_date: Mapped[datetime | None]
    # One element of revokedCertificates, ready to be joined into the list.
    entry_der: Mapped[bytes]

    certificate: Mapped[Certificate] = relationship(back_populates="revocation")


class StatusChange(Base):
    """One row for each change of a revocation, written by a trigger, which also tells the status service at commit."""

    __tablename__ = "status_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # The transaction's number: a reader that knows the oldest running one misses nothing.
    transaction: Mapped[int] = mapped_column(
        BigInteger, index=True, server_default=text("(pg_current_xact_id()::text)::bigint")
    )
    authority_id: Mapped[UUID]
    serial: Mapped[bytes]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class Crl(Base):
    __tablename__ = "crl"

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    der: Mapped[bytes]
    this_update: Mapped[datetime]
    next_update: Mapped[datetime] = mapped_column(index=True)
    # The delta of the same number and the list that it adds to (RFC 5280, 5.2.4); None where deltas are off.
    base_number: Mapped[int | None]
    delta_der: Mapped[bytes | None]


class BlockedKey(Base):
    """A key that was compromised: never certified again, for anyone."""

    __tablename__ = "blocked_key"

    spki_sha256: Mapped[str] = mapped_column(primary_key=True)
    blocked_at: Mapped[datetime]


class Challenge(Base):
    """What a request must carry to prove that it was made now, by this account, and not overheard."""

    __tablename__ = "certificate_challenge"

    id: Mapped[PublicId]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    value_sha256: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class TimestampClock(Base):
    """The newest time that a token has said; the timestamp unit never goes behind it."""

    __tablename__ = "timestamp_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    newest: Mapped[datetime]


# Serial numbers of timestamp tokens: never the same twice, whatever happens to a transaction (RFC 3161, 2.4.2).
timestamp_serial = Sequence("timestamp_serial", metadata=Base.metadata)
