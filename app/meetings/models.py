"""Buildings and rooms, meetings, their guests, and the passes that guests hold."""

from __future__ import annotations

from datetime import datetime
from enum import IntFlag, StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, UniqueConstraint, false, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.documents.models import DocumentVersion
from app.registry.models import Agency
from pki.passes.lease import Policy


class MeetingState(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    CANCELLED = "cancelled"


class PassState(StrEnum):
    VALID = "valid"
    WITHDRAWN = "withdrawn"
    # A newer pass of the same guest took its place.
    CHANGED = "changed"


class GuestKind(StrEnum):
    INVITED = "invited"
    COMPANION = "companion"
    DRIVER = "driver"
    INTERPRETER = "interpreter"


class Reply(StrEnum):
    NONE = "none"
    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


class Reentry(StrEnum):
    NONE = "none"
    # As long as the pass is valid.
    FREE = "free"
    # From the meeting's first minute to its last.
    DURING = "during"


class Remind(IntFlag):
    """When guests are reminded, as bits."""

    NONE = 0
    DAY = 1
    HOURS = 2


class Building(Base):
    __tablename__ = "building"

    id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    address: Mapped[str]
    # The agency whose guards keep it; None: only those of the whole city.
    keeper_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))


class Room(Base):
    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("building_id", "name"),)

    id: Mapped[PublicId]
    building_id: Mapped[UUID] = mapped_column(ForeignKey("building.id"))
    name: Mapped[str]

    building: Mapped[Building] = relationship(lazy="joined", innerjoin=True)


class Meeting(Base):
    __tablename__ = "meeting"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="runs_forward"),
        Index(None, "agency_id", "starts_at"),
        Index(None, "room_id", "starts_at"),
    )

    id: Mapped[PublicId]
    # Small number that stands in passes.
    number: Mapped[int] = mapped_column(Integer, Identity(always=True), unique=True)
    title: Mapped[str]
    # Without marks, so that "hop" finds "họp".
    search_title: Mapped[str]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    room_id: Mapped[UUID] = mapped_column(ForeignKey("room.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # Who invites, as it stands in the letter.
    host: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=MeetingState.DRAFT)
    # What a gate without network does about a pass that it may not admit by itself, a `pki.passes.lease.Policy`.
    policy: Mapped[str] = mapped_column(server_default=Policy.STRICT)
    # The code on a guest's page changes every half minute, so that a photograph of it is of no use.
    rotating: Mapped[bool] = mapped_column(server_default=false())
    # Zones of the building that a pass opens, as bits; bit 0 is the entrance.
    zones: Mapped[int] = mapped_column(server_default="1")
    # SEQUENCE of the calendar part (RFC 5545, 3.8.7.4): rises with each change that guests are told of.
    sequence: Mapped[int] = mapped_column(server_default="0")
    # Whether somebody who checked out may come in again (app/gate/admissions.py).
    reentry: Mapped[str] = mapped_column(server_default=Reentry.NONE)
    # A `Remind`.
    reminders: Mapped[int] = mapped_column(server_default="0")
    created_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    room: Mapped[Room] = relationship(lazy="joined", innerjoin=True)
    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)


class Guest(Base):
    __tablename__ = "guest"
    __table_args__ = (
        # Once on the list; somebody who was taken off may be invited again.
        Index(
            "uq_guest_meeting_email",
            "meeting_id",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("removed_at IS NULL AND email <> ''"),
        ),
        UniqueConstraint("page_sha256"),
        UniqueConstraint("desk_code"),
    )

    id: Mapped[PublicId]
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    # Name, address and organisation are empty once they were forgotten (see `retention`).
    name: Mapped[str]
    email: Mapped[str]
    organisation: Mapped[str]
    # A `GuestKind`; whoever is not invited themselves comes with `of_guest_id`.
    kind: Mapped[str] = mapped_column(server_default=GuestKind.INVITED)
    of_guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("guest.id"), index=True)
    # As it stands in the letter: post, rank, form of address.
    title: Mapped[str] = mapped_column(server_default="")
    seat: Mapped[str] = mapped_column(server_default="")
    # What helps them come in, in the organiser's words.
    needs: Mapped[str] = mapped_column(server_default="")
    # The person's own account, if they have one: it signs who comes in their stead.
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    # Small, for the roster of the gates.
    thumbnail: Mapped[bytes | None] = mapped_column(deferred=True)
    # A `Reply`.
    answer: Mapped[str] = mapped_column(server_default=Reply.NONE)
    # What they wrote beside it.
    answer_note: Mapped[str] = mapped_column(server_default="")
    answered_at: Mapped[datetime | None]
    # The checkpoint that the letter names; its tablet may hold the right to admit.
    entrance_id: Mapped[UUID | None] = mapped_column(index=True)
    # Its name, as it stands in the letter.
    entrance: Mapped[str] = mapped_column(server_default="")
    # When somebody first pressed “send” with this guest on the list.
    invited_at: Mapped[datetime | None]
    # SHA-256 of the token in the address of the guest's own page; None until the invitation is made.
    page_sha256: Mapped[bytes | None]
    # Keyed hash of the digits that are said at the desk (`desk_code`).
    desk_code: Mapped[bytes | None]
    # Name of the picture in storage.
    portrait_sha256: Mapped[str | None]
    removed_at: Mapped[datetime | None]

    meeting: Mapped[Meeting] = relationship(lazy="joined", innerjoin=True)
    of_guest: Mapped[Guest | None] = relationship(remote_side="Guest.id")


class MeetingItem(Base):
    """A point of the agenda."""

    __tablename__ = "meeting_item"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime | None]
    topic: Mapped[str]
    presenter: Mapped[str]


class MeetingPaper(Base):
    """A version of a signed document that guests of a meeting may read."""

    __tablename__ = "meeting_paper"

    id: Mapped[PublicId]
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    title: Mapped[str]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    version: Mapped[DocumentVersion] = relationship(lazy="joined", innerjoin=True)


class Reminder(Base):
    """A guest was reminded of a beginning; another time of the meeting is reminded of anew."""

    __tablename__ = "reminder"

    guest_id: Mapped[UUID] = mapped_column(ForeignKey("guest.id"), primary_key=True)
    kind: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]


class Pass(Base):
    __tablename__ = "pass"
    __table_args__ = (
        Index("uq_pass_valid_guest", "guest_id", unique=True, postgresql_where=text("state = 'valid'")),
        UniqueConstraint("secret_sha256"),
        UniqueConstraint("letter_sha256"),
    )

    id: Mapped[PublicId]
    guest_id: Mapped[UUID] = mapped_column(ForeignKey("guest.id"))
    # SHA-256 of the pass's secret id: the gate finds the row by it, the row does not give the secret away.
    secret_sha256: Mapped[bytes]
    # Its place in the status list; None once the pass has ended, so that places do not run out.
    status_index: Mapped[int | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default=PassState.VALID)
    # The signed pass as digits, the guest's page token and desk code, encrypted under the application's secret.
    sealed: Mapped[bytes]
    # The letter under the agency's seal, encrypted likewise; None where there was no seal, and once it is forgotten.
    letter: Mapped[bytes | None] = mapped_column(deferred=True)
    # Of the letter's file, so that a check can tell what became of the invitation.
    letter_sha256: Mapped[bytes | None]
    signer_certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), index=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    issued_at: Mapped[datetime]

    # The tablet that alone may admit this pass (app/gate/leases.py); here, so that granting and admitting
    # meet in one row.
    leased_to: Mapped[UUID | None]

    guest: Mapped[Guest] = relationship(lazy="joined", innerjoin=True)
