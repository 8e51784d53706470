"""Accounts, the roles granted to them, and the sessions that are open."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId


class Account(Base):
    __tablename__ = "account"

    id: Mapped[PublicId]
    login: Mapped[str] = mapped_column(unique=True)
    # None until the person has set one; such an account cannot sign in with a password.
    password_hash: Mapped[str | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), unique=True)
    label: Mapped[str]
    language: Mapped[str] = mapped_column(server_default="vi")
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    grants: Mapped[list[RoleGrant]] = relationship(
        back_populates="account", lazy="selectin", order_by="RoleGrant.role", cascade="all, delete-orphan"
    )


class RoleGrant(Base):
    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("account_id", "role", "agency_id", postgresql_nulls_not_distinct=True),)

    id: Mapped[PublicId]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str]
    # None is the whole city.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    granted_at: Mapped[datetime] = mapped_column(server_default=func.now())

    account: Mapped[Account] = relationship(back_populates="grants")


class SignInSession(Base):
    __tablename__ = "sign_in_session"
    __table_args__ = (Index(None, "account_id", postgresql_where=text("revoked_at IS NULL")),)

    id: Mapped[PublicId]
    # SHA-256 of the cookie: whoever reads the database cannot become anyone.
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="joined")
