"""To whom an issued paper goes, inside the city and outside, and what became of it there."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.registry.models import Agency, Person
from app.routes.models import Route


class DispatchState(StrEnum):
    """The states of exchange between agencies, in their order."""

    PLANNED = "planned"
    SENT = "sent"
    ARRIVED = "arrived"
    RECEIVED = "received"
    ASSIGNED = "assigned"
    DONE = "done"


class Dispatch(Base):
    __tablename__ = "dispatch"
    __table_args__ = (
        UniqueConstraint("route_id", "agency_id"),
        UniqueConstraint("route_id", "email"),
        CheckConstraint(
            "(agency_id IS NULL) <> (email IS NULL) AND (email IS NULL) = (name IS NULL)",
            name="goes_to_an_agency_or_an_address",
        ),
        CheckConstraint(
            "state IN ('planned', 'sent', 'arrived', 'received', 'assigned', 'done')", name="state_is_known"
        ),
        Index("ix_dispatch_inbox", "agency_id", "sent_at", postgresql_where=text("state <> 'planned'")),
        Index("ix_dispatch_assignee", "assignee_id", postgresql_where=text("state = 'assigned'")),
    )

    id: Mapped[PublicId]
    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"))
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    # Outside the city: a name and an address, and a secret link.
    name: Mapped[str | None]
    email: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=DispatchState.PLANNED)
    sent_at: Mapped[datetime | None]
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    # SHA-256 of the secret in the link: whoever reads the database opens nothing.
    token_sha256: Mapped[bytes | None] = mapped_column(unique=True)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    openings: Mapped[int] = mapped_column(server_default="0")

    route: Mapped[Route] = relationship(lazy="joined", innerjoin=True)
    agency: Mapped[Agency | None] = relationship(lazy="joined")
    assignee: Mapped[Person | None] = relationship(lazy="joined")
    events: Mapped[list[DispatchEvent]] = relationship(
        lazy="selectin", order_by="DispatchEvent.happened_at", cascade="all, delete-orphan"
    )

    @property
    def recipient(self) -> str:
        return self.agency.name if self.agency is not None else self.name or ""


class DispatchEvent(Base):
    """What happened to a paper at its recipient: the receipt that the sender sees. Rows are only ever added."""

    __tablename__ = "dispatch_event"
    __table_args__ = (
        Index(None, "dispatch_id"),
        # Each person opens it for the first time once.
        Index(
            "uq_dispatch_event_opened",
            "dispatch_id",
            "person_id",
            unique=True,
            postgresql_where=text("kind = 'opened' AND person_id IS NOT NULL"),
        ),
    )

    id: Mapped[PublicId]
    dispatch_id: Mapped[UUID] = mapped_column(ForeignKey("dispatch.id"))
    # A DispatchState, `opened` or `revoked`.
    kind: Mapped[str]
    # None for the house and for people outside.
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    happened_at: Mapped[datetime]

    person: Mapped[Person | None] = relationship(lazy="joined")
