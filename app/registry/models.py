"""People, agencies and the posts that people hold in them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId


class Agency(Base):
    __tablename__ = "agency"
    __table_args__ = (CheckConstraint("right(path, 1) = '/'", name="path_ends_with_slash"),)

    id: Mapped[PublicId]
    # The e-government agency code, such as H26.13.
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    search_name: Mapped[str] = mapped_column(index=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    # Codes from the top, each followed by a slash: the subtree of an agency is everything that begins with its path.
    path: Mapped[str] = mapped_column(unique=True)
    # The agency that took over its people and duties; it then does nothing any more.
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Person(Base):
    __tablename__ = "person"

    id: Mapped[PublicId]
    # The opaque identifier that stands in certificates; never the national number.
    identifier: Mapped[str] = mapped_column(unique=True)
    surname: Mapped[str]
    given_name: Mapped[str]
    full_name: Mapped[str]
    search_name: Mapped[str] = mapped_column(index=True)
    email: Mapped[str | None]
    # Keyed hash of the citizen number (app.registry.numbers); the number itself is not kept.
    number_index: Mapped[bytes | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    posts: Mapped[list[Post]] = relationship(back_populates="person", lazy="selectin", order_by="Post.started_at")

    @property
    def current_post(self) -> Post | None:
        """The post held now, the newest if several; None for a citizen."""
        held = [post for post in self.posts if post.ended_at is None]
        return held[-1] if held else None


class Post(Base):
    __tablename__ = "post"
    __table_args__ = (Index(None, "agency_id", postgresql_where=text("ended_at IS NULL")),)

    id: Mapped[PublicId]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    title: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(back_populates="posts")
    agency: Mapped[Agency] = relationship(lazy="joined")
