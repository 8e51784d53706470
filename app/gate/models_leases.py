"""Tablets' logs as far as they were read, the rights leased to them, and what a supervisor must look at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class IncidentKind(StrEnum):
    # One pass entered twice; both gates and times are in the facts.
    DOUBLE_ENTRY = "double_entry"
    # Somebody entered with a pass that had ended by then.
    ENTERED_ENDED = "entered_ended"
    # The tablet's clock went another way than its seconds.
    CLOCK_JUMP = "clock_jump"
    # Entries of the log are missing.
    CHAIN_GAP = "chain_gap"
    # The log has two continuations: a copied or restored profile.
    CHAIN_FORK = "chain_fork"
    # An entry claims a lease that the tablet no longer held.
    STALE_EPOCH = "stale_epoch"
    # A revoked tablet sent entries: evidence, without authority.
    REVOKED_DEVICE = "revoked_device"
    # A tablet started again without having closed its log: rights leased to it may have been used.
    RIGHTS_IN_DOUBT = "rights_in_doubt"
    # A supervisor let somebody in against the rule.
    OVERRIDE = "override"


class TabletLog(Base):
    """How far a tablet's log was read without a gap, and which leases it may hold."""

    __tablename__ = "tablet_log"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    contiguous: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # SHA-256 of the entry at `contiguous`.
    head: Mapped[bytes]
    # The boot that the log is in, None before the first; whether its last entry closed it.
    boot_id: Mapped[UUID | None]
    closed: Mapped[bool] = mapped_column(server_default="false")
    # Hybrid clock and monotonic milliseconds of the last entry.
    hlc: Mapped[int] = mapped_column(BigInteger, server_default="0")
    monotonic_ms: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # The newest list signed for it, and the newest it said it has taken up.
    epoch: Mapped[int] = mapped_column(server_default="0")
    taken_epoch: Mapped[int] = mapped_column(server_default="0")
    # When a second continuation came; from then on its entries are evidence only.
    forked_at: Mapped[datetime | None]


class Lease(Base):
    """The right to admit a pass and slot, leased to one tablet. One row for a right: the newest lease of it."""

    __tablename__ = "lease"
    __table_args__ = (Index(None, "device_id", "released_at"),)

    pass_id: Mapped[UUID] = mapped_column(ForeignKey("pass.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    # Of the tablet: the first list that named the right; None until it was signed.
    epoch: Mapped[int | None]
    policy: Mapped[str]
    granted_at: Mapped[datetime]
    not_after: Mapped[datetime]
    recalled_at: Mapped[datetime | None]
    # The first list without it.
    recalled_epoch: Mapped[int | None]
    # When the tablet's log up to giving it back was read, or time gave it back (lenient).
    released_at: Mapped[datetime | None]
    # The tablet started anew without closing its log; only a supervisor returns a strict right then.
    in_doubt_at: Mapped[datetime | None]


class LeaseEdition(Base):
    """The newest signed list of leases of a tablet."""

    __tablename__ = "lease_edition"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"), primary_key=True)
    epoch: Mapped[int]
    boot_id: Mapped[UUID]
    content_sha256: Mapped[bytes]
    body: Mapped[bytes]
    issued_at: Mapped[datetime]
    not_after: Mapped[datetime]


class Incident(Base):
    """Something at the gates that a supervisor must look at; an incident is resolved with a reason, never removed."""

    __tablename__ = "gate_incident"
    __table_args__ = (
        UniqueConstraint("kind", "scan_id"),
        Index(None, "building_id", "resolved_at", "recorded_at"),
    )

    id: Mapped[PublicId]
    kind: Mapped[str]
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    pass_id: Mapped[UUID | None] = mapped_column(ForeignKey("pass.id"))
    # The scan that brought it to light (not necessarily in the books: of a fork the second entry is in the facts).
    scan_id: Mapped[UUID]
    earlier_scan_id: Mapped[UUID | None]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    # Identifiers, times and counts; no names.
    facts: Mapped[dict[str, Any]]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    resolution: Mapped[str | None]
