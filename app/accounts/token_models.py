"""Access tokens of the API, and the answers to requests that may be sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from app.accounts.models import Account
from app.core.db import Base, PublicId


class AccessToken(Base):
    __tablename__ = "access_token"
    __table_args__ = (Index(None, "account_id", postgresql_where=text("revoked_at IS NULL")),)

    id: Mapped[PublicId]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    # What the person calls it: the system that uses it.
    name: Mapped[str]
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    # Permissions it is limited to; those that its account loses, it loses too.
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="joined")


class ApiAnswer(Base):
    """The answer to a request with an Idempotency-Key: the same request gets it again, nothing is done twice."""

    __tablename__ = "api_answer"

    token_id: Mapped[UUID] = mapped_column(ForeignKey("access_token.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    # SHA-256 over method, path and body.
    request_sha256: Mapped[bytes]
    # None while the first request is under way; then nobody else sees the row.
    status: Mapped[int | None]
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(index=True)
