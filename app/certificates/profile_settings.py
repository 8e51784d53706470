"""What of a profile is set at run time: its validity in days, within bounds, by an act that two people agreed on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ProfileSetting(Base):
    """One version of a profile's settings; the highest is in force. Rows are only added."""

    __tablename__ = "profile_setting"
    __table_args__ = (CheckConstraint("validity_days >= 1", name="validity_is_positive"),)

    profile: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    validity_days: Mapped[int]
    act_id: Mapped[UUID] = mapped_column(ForeignKey("act_request.id"), unique=True)
    set_at: Mapped[datetime]
