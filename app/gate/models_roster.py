"""The rosters that tablets carry: sealed records of who is expected in a building on a day."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class Roster(Base):
    __tablename__ = "roster"
    __table_args__ = (UniqueConstraint("building_id", "day"),)

    # Also salts the keys of its records, so it is never made anew for the same day.
    id: Mapped[PublicId]
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    # In the city's zone.
    day: Mapped[date] = mapped_column(Date())
    # Rises with each change of a record.
    version: Mapped[int]
    # The signed header of that version.
    header: Mapped[bytes]
    made_at: Mapped[datetime]


class RosterRecord(Base):
    __tablename__ = "roster_record"
    __table_args__ = (UniqueConstraint("roster_id", "pass_id"),)

    roster_id: Mapped[UUID] = mapped_column(ForeignKey("roster.id", ondelete="CASCADE"), primary_key=True)
    # Eight octets that nobody without the pass can tell; see pki.passes.roster.
    place: Mapped[bytes] = mapped_column(primary_key=True)
    pass_id: Mapped[UUID] = mapped_column(ForeignKey("pass.id"))
    # SHA-256 of the content, so that only what changed is sealed anew.
    content_sha256: Mapped[bytes]
    # Empty once it was removed.
    sealed: Mapped[bytes]
    # The version in which it came, changed or went.
    changed_in: Mapped[int]
    removed: Mapped[bool]
