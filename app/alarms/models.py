"""Alarms: something that a person must look at, open until an administrator closes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class Alarm(Base):
    __tablename__ = "alarm"
    __table_args__ = (
        # One open alarm for one cause: what goes on is counted, not raised again.
        Index(None, "kind", "object_kind", "object_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index(None, "raised_at"),
    )

    id: Mapped[PublicId]
    kind: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    # None belongs to the whole city.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    # Identifiers and counts only, those of the last occurrence.
    facts: Mapped[dict[str, Any]]
    raised_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_at: Mapped[datetime] = mapped_column(server_default=func.now())
    count: Mapped[int] = mapped_column(server_default="1")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
