"""Orders of sealed reports. A row lives for a quarter of an hour and says nothing of the file or of who checks it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class ReportState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class CheckReport(Base):
    __tablename__ = "check_report"
    __table_args__ = (
        CheckConstraint("octet_length(token_sha256) = 32", name="token_sha256_is_a_sha256"),
        CheckConstraint("(state = 'waiting') = (secret IS NOT NULL)", name="secret_is_there_while_it_waits"),
        CheckConstraint("(state = 'failed') = (fault IS NOT NULL)", name="failed_with_a_fault"),
    )

    id: Mapped[PublicId]
    # Of the secret, which stands in the address of the page that waits.
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    # Opens the file in the spool and closes the report; forgotten as soon as the report is there.
    secret: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(default=ReportState.WAITING)
    # A `PdfFault`, when the file could not be checked.
    fault: Mapped[str | None]
    # Octets in the spool.
    size: Mapped[int] = mapped_column(BigInteger())
    asked_at: Mapped[datetime] = mapped_column(index=True)
