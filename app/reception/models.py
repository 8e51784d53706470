"""The desk: who came without an invitation, what the desk wrote down, and the roll of an evacuation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.core.db import Base, PublicId
from app.meetings.models import Building


class VisitState(StrEnum):
    # The host has been asked.
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    # The host asks the visitor to come again later.
    LATER = "later"
    INSIDE = "inside"
    LEFT = "left"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Mark(StrEnum):
    SAFE = "safe"
    MISSING = "missing"
    NOT_INSIDE = "not_inside"


class WatchState(StrEnum):
    # Asked for by one person; another one has to agree.
    ASKED = "asked"
    ACTIVE = "active"
    ENDED = "ended"


class Zone(Base):
    """The name of a zone of a building; its number is the bit in the zone set of passes, and 0 is the entrance."""

    __tablename__ = "zone"

    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class WalkIn(Base):
    """Somebody who came to the desk without an invitation."""

    __tablename__ = "walk_in"
    __table_args__ = (
        Index(None, "building_id", "created_at"),
        Index(None, "host_account_id", "state"),
        Index("ix_walk_in_inside", "building_id", postgresql_where=text("state = 'inside'")),
        UniqueConstraint("badge_sha256"),
    )

    # Made with the form, so that sending it twice registers one visitor.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    name: Mapped[str]
    search_name: Mapped[str]
    organisation: Mapped[str]
    purpose: Mapped[str]
    host_account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(server_default=VisitState.WAITING)
    # What the host adds to the answer.
    note: Mapped[str] = mapped_column(server_default="")
    # Keyed hash of the citizen number; None when no card was read, and after a week.
    number_hash: Mapped[bytes | None]
    # SHA-256 of the digits in the code of the badge.
    badge_sha256: Mapped[bytes | None]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    came_at: Mapped[datetime | None]
    # Until when the visitor may stay.
    until: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    building: Mapped[Building] = relationship(lazy="joined", innerjoin=True)
    host: Mapped[Account] = relationship(lazy="joined", innerjoin=True, foreign_keys=[host_account_id])


class DeskEntry(Base):
    """A guest let in or out by hand: why, and by whom. The form makes the id, so that sending it twice counts once."""

    __tablename__ = "desk_entry"
    __table_args__ = (Index(None, "building_id", "at"), Index(None, "guest_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    guest_id: Mapped[UUID] = mapped_column(ForeignKey("guest.id"))
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    # A `Direction`.
    direction: Mapped[str]
    # One of app/reception/words.py, never free text: the log keeps it.
    reason: Mapped[str]
    # None for the house at closing time.
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]


class RollCall(Base):
    """One evacuation of a building."""

    __tablename__ = "roll_call"
    __table_args__ = (
        Index("uq_roll_call_running", "building_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PublicId]
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    started_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    started_at: Mapped[datetime]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]

    building: Mapped[Building] = relationship(lazy="joined", innerjoin=True)


class RollPerson(Base):
    """Who was inside when the roll was called: a guest or a walk-in."""

    __tablename__ = "roll_person"

    roll_call_id: Mapped[UUID] = mapped_column(ForeignKey("roll_call.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    zone: Mapped[int] = mapped_column(server_default="0")


class RollMark(Base):
    """One mark of one warden about one person. The phone makes the id; none is ever changed or taken away."""

    __tablename__ = "roll_mark"
    __table_args__ = (Index(None, "roll_call_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    roll_call_id: Mapped[UUID] = mapped_column(ForeignKey("roll_call.id"))
    person_id: Mapped[UUID]
    mark: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    # The phone's clock: the newest mark of a person counts, and among equals the greater id.
    marked_at: Mapped[datetime]
    received_at: Mapped[datetime]


class WatchEntry(Base):
    """Somebody about whom supervisors are told. It never leaves the server: a record of a guest gets one bit."""

    __tablename__ = "watch_entry"
    __table_args__ = (
        Index("ix_watch_entry_active", "search_name", postgresql_where=text("state = 'active'")),
        Index(None, "building_id"),
    )

    id: Mapped[PublicId]
    # None: every building of the city.
    building_id: Mapped[UUID | None] = mapped_column(ForeignKey("building.id"))
    name: Mapped[str]
    search_name: Mapped[str]
    # Keyed hash of the citizen number (app/registry/numbers.py); None when it is not known.
    number_hash: Mapped[bytes | None]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=WatchState.ASKED)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    # No entry is for ever.
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
