"""Pictures of people's handwritten signatures and of agencies' seals. No row is ever deleted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.registry.models import Agency, Person

_IN_USE = text("state = 'in_use'")


class PictureState(StrEnum):
    # Cleaned and shown; nobody signs with it.
    PROPOSED = "proposed"
    IN_USE = "in_use"
    # Another one took its place.
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    # Looked at and not wanted.
    DISCARDED = "discarded"


class MarkPicture(Base):
    """One picture: of a person's signature, or of an agency's seal."""

    __tablename__ = "mark_picture"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (agency_id IS NULL)", name="of_a_person_or_an_agency"),
        CheckConstraint("width_mm > 0 AND height_mm > 0", name="has_a_size"),
        Index("uq_mark_picture_person_in_use", "person_id", unique=True, postgresql_where=_IN_USE),
        Index("uq_mark_picture_agency_in_use", "agency_id", unique=True, postgresql_where=_IN_USE),
        Index(None, "person_id", "uploaded_at"),
        Index(None, "agency_id", "uploaded_at"),
    )

    id: Mapped[PublicId]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    state: Mapped[str]
    # Transparent, cut to the ink; and what was uploaded, reduced.
    png: Mapped[bytes] = mapped_column(deferred=True)
    before_png: Mapped[bytes] = mapped_column(deferred=True)
    # On paper.
    width_mm: Mapped[float]
    height_mm: Mapped[float]
    # Of a seal, as registered.
    diameter_mm: Mapped[float | None]
    dpi: Mapped[int]
    # Part of the ink that is blue, or red.
    coloured: Mapped[float]
    paper_removed: Mapped[bool]
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    uploaded_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person | None] = relationship()
    agency: Mapped[Agency | None] = relationship()
