"""The log of acts: who did what to which object, when. Rows are only ever added (a trigger refuses the rest)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class AuditEntry(Base):
    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "object_kind", "object_id"), Index(None, "agency_id", "id"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # None when the house itself acted (a job, a command); `actor_label` then says which.
    actor_account_id: Mapped[UUID | None]
    actor_label: Mapped[str | None]
    act: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    agency_id: Mapped[UUID | None]
    # Facts by identifier only: no names, numbers, addresses or document text.
    facts: Mapped[dict[str, Any]]
    # The reference that the person saw and the request's log line carries.
    reference: Mapped[str | None]
