"""What the register keeps beside the certificates: the words of their names, counts, and searches worth keeping.

The first two are written by triggers on `certificate` (migration 0011), a few rows for each statement: storing a
thousand certificates by one COPY costs one pass over them.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Computed, Date, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId

# The words of a folded name, as they are: no dictionary, no stop words, and no parser that could stumble.
WORDS = "array_to_tsvector(array_remove(string_to_array(name, ' '::text), ''::text))"


class CertificateName(Base):
    """Each folded name that a certificate bears, once; twice if two processes brought it at the same moment.

    A million certificates have some 300,000 names, so that looking here costs a third, and adding another bearer of a
    name costs one look.
    """

    __tablename__ = "certificate_name"
    __table_args__ = (Index(None, "words", postgresql_using="gin"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    words: Mapped[str] = mapped_column(TSVECTOR, Computed(WORDS, persisted=True))


class CertificateCounter(Base):
    """How many certificates entered and left a state on a day.

    Rows are only added, so that processes that issue at the same time never wait for one another. A job folds them:
    each then stands in a row of its day, for the charts, and in one without a day, which is the total.
    """

    __tablename__ = "certificate_counter"
    __table_args__ = (
        Index(None, "state", "day"),
        Index("ix_certificate_counter_total", "state", postgresql_where=text("day IS NULL OR NOT folded")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # In the city's time. Days older than four months are folded into the first of their month.
    day: Mapped[date | None] = mapped_column(Date)
    # A CertificateState; or register_counters.ENDS.
    state: Mapped[str]
    authority_id: Mapped[UUID]
    profile: Mapped[str]
    agency_id: Mapped[UUID | None]
    entered: Mapped[int]
    left: Mapped[int]
    folded: Mapped[bool] = mapped_column(server_default=text("false"))


class SavedSearch(Base):
    """A search of the register that somebody keeps under a name; nobody else sees it."""

    __tablename__ = "saved_search"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[PublicId]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    # As in the address of the page, in the canonical order of register_filters.
    query: Mapped[str]
    created_at: Mapped[datetime]
