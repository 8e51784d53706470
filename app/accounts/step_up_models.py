"""A password asked for again, for exactly one act: the evidence of it, which is kept."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class StepUp(Base):
    """Somebody proved anew who they are, and for what. Rows are added, used once, and never changed otherwise."""

    __tablename__ = "step_up"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", name="digest_is_a_sha256"),
        CheckConstraint("used_at BETWEEN proven_at AND expires_at", name="used_in_time"),
        Index(None, "account_id", "proven_at"),
    )

    id: Mapped[PublicId]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    # What kind of act, such as `issue`.
    purpose: Mapped[str]
    # The canonical JSON of exactly what is agreed to, and its SHA-256.
    statement: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    # How it was proven: `password`.
    means: Mapped[str]
    proven_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
