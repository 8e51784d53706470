"""What publishing revocation lists keeps: the state of each shard, marks of change, and holds that were lifted."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

# Stands for a shard in the list of everything that an authority revoked (KYVAO_FULL_CRLS).
FULL: Final = -1


class CrlShard(Base):
    """One row for each list that is kept fresh."""

    __tablename__ = "crl_shard"

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # The last number given out, committed before anything is signed: a crash leaves a gap, never one number twice.
    number: Mapped[int]
    # When the next list is due though nothing changed; None once the authority's own certificate has ended.
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    # Whoever took the number has until then; after a refusal, when it is tried again.
    leased_until: Mapped[datetime | None]
    # Why the last attempt was refused, for the monitor.
    refusal: Mapped[str | None]


class ShardChange(Base):
    """A mark that a shard's list is behind, added by a trigger on `revocation`.

    The publisher removes the marks that it sees before it reads the entries. A change that commits meanwhile keeps its
    mark and brings another list, so that none is lost between a job and a commit.
    """

    __tablename__ = "shard_change"
    __table_args__ = (Index(None, "authority_id", "shard"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    authority_id: Mapped[UUID]
    shard: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class HoldRelease(Base):
    """A hold that was lifted: why an entry of the last list may be missing from the next."""

    __tablename__ = "hold_release"
    __table_args__ = (Index(None, "authority_id", "shard"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"))
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    shard: Mapped[int]
    serial: Mapped[bytes]
    released_at: Mapped[datetime]
