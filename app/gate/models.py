"""Checkpoints, the tablets at them, what was scanned and who was admitted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.meetings.models import Building


class Checkpoint(Base):
    __tablename__ = "checkpoint"
    __table_args__ = (UniqueConstraint("building_id", "name"),)

    id: Mapped[PublicId]
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    name: Mapped[str]
    # Bit of the pass's zone set that this checkpoint admits to; 0 is the entrance of the building.
    zone: Mapped[int] = mapped_column(server_default="0")

    building: Mapped[Building] = relationship(lazy="joined")


class Device(Base):
    __tablename__ = "device"

    id: Mapped[PublicId]
    checkpoint_id: Mapped[UUID] = mapped_column(ForeignKey("checkpoint.id"))
    label: Mapped[str]
    # SHA-256 of the one-time code while it may be used; None afterwards.
    code_sha256: Mapped[bytes | None] = mapped_column(unique=True)
    code_expires_at: Mapped[datetime | None]
    # SHA-256 of the cookie that the tablet holds.
    token_sha256: Mapped[bytes | None] = mapped_column(unique=True)
    # DER of SubjectPublicKeyInfo on P-256 of the key that the tablet made at enrolment and signs its log with.
    public_key: Mapped[bytes | None]
    enrolled_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    checkpoint: Mapped[Checkpoint] = relationship(lazy="joined")


class Admission(Base):
    """The right to enter, used: one row for a pass and slot, so it can be used once (made by INSERT … ON CONFLICT)."""

    __tablename__ = "admission"
    # Whoever is inside a building is asked for every few seconds (app/reception/presence.py).
    __table_args__ = (Index("ix_admission_inside", "checkpoint_id", postgresql_where=text("left_at IS NULL")),)

    pass_id: Mapped[UUID] = mapped_column(ForeignKey("pass.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[UUID] = mapped_column(unique=True)
    checkpoint_id: Mapped[UUID] = mapped_column(ForeignKey("checkpoint.id"))
    admitted_at: Mapped[datetime]
    # When the person last went out and has not come back in; None while inside.
    left_at: Mapped[datetime | None]
    # How often they came in: 1, and more where the meeting lets people come back.
    entries: Mapped[int] = mapped_column(server_default="1")


class Scan(Base):
    """One reading of a pass at a checkpoint. The tablet makes the id, so that sending it twice records it once."""

    __tablename__ = "scan"
    __table_args__ = (
        Index(None, "checkpoint_id", "received_at"),
        Index(None, "pass_id"),
        Index(None, "device_id", "seq"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    checkpoint_id: Mapped[UUID] = mapped_column(ForeignKey("checkpoint.id"))
    # None when what was scanned is no pass of ours.
    pass_id: Mapped[UUID | None] = mapped_column(ForeignKey("pass.id"))
    operator_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    # The tablet's clock, kept beside ours: a difference is evidence, not an error.
    scanned_at: Mapped[datetime]
    received_at: Mapped[datetime]
    # What the tablet decided by itself, and what the server decided.
    device_outcome: Mapped[str]
    device_reason: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str]
    # The guard's eye: `match` or `mismatch` of the face with the portrait; None until answered.
    face: Mapped[str | None]
    # `in` or `out`, the slot of the pass, and pki.passes.scan_event.EventFlags.
    direction: Mapped[int] = mapped_column(server_default="0")
    slot: Mapped[int] = mapped_column(server_default="0")
    flags: Mapped[int] = mapped_column(server_default="0")
    refers_to: Mapped[UUID | None]
    # Place in the tablet's own log and the entry as it signed it; None until the log was sent.
    seq: Mapped[int | None] = mapped_column(BigInteger)
    event: Mapped[bytes | None]
    signature: Mapped[bytes | None]
    # What opens the commitment in `event`; taken away when the person is forgotten, and the log stays whole.
    salt: Mapped[bytes | None]


class Publication(Base):
    """A signed trust list or status list as the tablets fetch it; `version` only rises."""

    __tablename__ = "gate_publication"

    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    # SHA-256 of what was signed, without its times: an unchanged list is signed anew only when it grows old.
    content_sha256: Mapped[bytes]
    body: Mapped[bytes]
    issued_at: Mapped[datetime]
    next_update: Mapped[datetime]
