"""What the last look from outside found, one row for each thing looked at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class HealthCheck(Base):
    __tablename__ = "health_check"

    # What was looked at, such as `crl/issuing_citizens/17`.
    target: Mapped[str] = mapped_column(primary_key=True)
    # An app.status.findings.Kind and an app.status.findings.Judgement.
    kind: Mapped[str]
    state: Mapped[str]
    # In English, for the log and the command line; a number, a word, never a name.
    detail: Mapped[str]
    # When it goes stale, or its certificate ends; None where nothing ends.
    fresh_until: Mapped[datetime | None]
    checked_at: Mapped[datetime]
