"""Routes of papers through an agency: who acts in which order, what each person did, and where the paper is now.

A template is a route without papers (`RouteState.TEMPLATE`), so both are composed by the same rules.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, PublicId
from app.documents.models import Document
from app.registry.models import Agency, Person


class RouteState(StrEnum):
    TEMPLATE = "template"
    # Being put together; nobody else sees it.
    DRAFT = "draft"
    RUNNING = "running"
    # Back to the drafter, with a reason.
    DECLINED = "declined"
    # Every step is done: the clerk numbers, dates and seals.
    SIGNED = "signed"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


class Act(StrEnum):
    """What a step asks for. Issuing is no step: every route ends with it."""

    INITIAL = "initial"
    FORMAT = "format"
    SIGN = "sign"


class Duty(StrEnum):
    """What a person is to a route; nobody is two things to one route."""

    INITIAL = "initial"
    FORMAT = "format"
    SIGN = "sign"
    ISSUE = "issue"


class StepState(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"


class Route(Base):
    __tablename__ = "route"
    __table_args__ = (
        CheckConstraint(
            "state IN ('template', 'draft', 'running', 'declined', 'signed', 'issued', 'withdrawn', 'replaced')",
            name="state_is_known",
        ),
        Index(None, "agency_id", "state", "created_at"),
        Index(None, "drafter_id", "state"),
    )

    id: Mapped[PublicId]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    drafter_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    title: Mapped[str]
    search_title: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=RouteState.DRAFT)
    # Rises with every act: who acts on what they saw says which one that was.
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # Why it came back or was withdrawn, in the words of who did it.
    reason: Mapped[str | None]
    # The route that this one takes the place of.
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("route.id"), unique=True)

    agency: Mapped[Agency] = relationship(lazy="joined", innerjoin=True)
    drafter: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    papers: Mapped[list[RouteDocument]] = relationship(
        back_populates="route", lazy="selectin", order_by="RouteDocument.position", cascade="all, delete-orphan"
    )
    steps: Mapped[list[RouteStep]] = relationship(
        back_populates="route", lazy="selectin", order_by="RouteStep.number", cascade="all, delete-orphan"
    )
    acts: Mapped[list[RouteAct]] = relationship(
        back_populates="route", lazy="selectin", order_by="RouteAct.acted_at", cascade="all, delete-orphan"
    )

    @property
    def groups(self) -> list[list[RouteStep]]:
        """The steps in order; those of one group act in any order among themselves."""
        return [list(steps) for _, steps in groupby(self.steps, key=lambda step: step.position)]

    @property
    def open_steps(self) -> list[RouteStep]:
        return [step for step in self.steps if step.state == StepState.OPEN]

    @property
    def document_ids(self) -> tuple[UUID, ...]:
        """The main document first, then its attachments."""
        return tuple(paper.document_id for paper in self.papers)


class RouteDocument(Base):
    """A paper of the envelope; it travels on one route in its life."""

    __tablename__ = "route_document"
    __table_args__ = (UniqueConstraint("route_id", "position"),)

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), primary_key=True)
    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"))
    # 0 is the main document.
    position: Mapped[int]
    # The version that was issued.
    issued_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_version.id"))

    route: Mapped[Route] = relationship(back_populates="papers")
    document: Mapped[Document] = relationship(lazy="joined", innerjoin=True)


class RouteStep(Base):
    __tablename__ = "route_step"
    __table_args__ = (
        CheckConstraint(
            "(person_id IS NULL) <> (agency_id IS NULL) AND (agency_id IS NULL) = (post_title IS NULL)",
            name="names_a_person_or_a_post",
        ),
        CheckConstraint("act IN ('initial', 'format', 'sign')", name="act_is_known"),
        CheckConstraint("state IN ('waiting', 'open', 'done', 'declined')", name="state_is_known"),
        CheckConstraint("days BETWEEN 1 AND 60", name="days_are_few"),
        UniqueConstraint("route_id", "number", deferrable=True, initially="DEFERRED"),
        Index("ix_route_step_open", "route_id", postgresql_where=text("state = 'open'")),
        Index(None, "person_id"),
        Index(None, "agency_id", "post_title"),
        Index(None, "done_by"),
    )

    id: Mapped[PublicId]
    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"))
    # From 1, in the order of the page; `position` is the same for steps that act side by side.
    number: Mapped[int]
    position: Mapped[int]
    act: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    # Or a post: whoever holds it when the turn comes.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    post_title: Mapped[str | None]
    # Working days from the moment the turn comes.
    days: Mapped[int | None]
    # Of the signature in each paper; given when the route starts.
    field_name: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=StepState.WAITING)
    opened_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    # Who did it in the end; `on_behalf_of_id` is who had handed it to them while absent.
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    on_behalf_of_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None]

    route: Mapped[Route] = relationship(back_populates="steps")
    person: Mapped[Person | None] = relationship(foreign_keys=person_id, lazy="joined")
    agency: Mapped[Agency | None] = relationship(foreign_keys=agency_id, lazy="joined")
    doer: Mapped[Person | None] = relationship(foreign_keys=done_by, lazy="joined")
    absent: Mapped[Person | None] = relationship(foreign_keys=on_behalf_of_id, lazy="joined")

    @property
    def last_day(self) -> datetime | None:
        """The last moment of the last day to act; `due_at` is the midnight after it."""
        return self.due_at - timedelta(seconds=1) if self.due_at is not None else None


class RouteDuty(Base):
    """What a person is to a route. Its key is the rule: four separate acts, by separate people."""

    __tablename__ = "route_duty"
    __table_args__ = (
        PrimaryKeyConstraint("route_id", "person_id"),
        UniqueConstraint("route_id", "person_id", "duty"),
        CheckConstraint("duty IN ('initial', 'format', 'sign', 'issue')", name="duty_is_known"),
    )

    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    duty: Mapped[str]


class RouteAct(Base):
    """One act on one paper (for the check of form: on the whole envelope). Rows are only ever added."""

    __tablename__ = "route_act"
    __table_args__ = (
        ForeignKeyConstraint(
            ["route_id", "person_id", "duty"],
            ["route_duty.route_id", "route_duty.person_id", "route_duty.duty"],
            name="fk_route_act_duty",
        ),
        UniqueConstraint("step_id", "document_id"),
        Index("uq_route_act_step_id", "step_id", unique=True, postgresql_where=text("document_id IS NULL")),
        Index("uq_route_act_issue", "route_id", "document_id", unique=True, postgresql_where=text("duty = 'issue'")),
        CheckConstraint("(step_id IS NULL) = (duty = 'issue')", name="issuing_is_no_step"),
        Index(None, "route_id"),
    )

    id: Mapped[PublicId]
    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"))
    step_id: Mapped[UUID | None] = mapped_column(ForeignKey("route_step.id"))
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"))
    # What the act made.
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_version.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    duty: Mapped[str]
    acted_at: Mapped[datetime]

    route: Mapped[Route] = relationship(back_populates="acts")
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class Delegation(Base):
    """Somebody who is away hands their turns to somebody else, from one day to another (both included)."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="runs_forward"),
        CheckConstraint("person_id <> deputy_id", name="is_to_somebody_else"),
        CheckConstraint("initials OR formats OR signs", name="hands_something_over"),
        Index("ix_delegation_deputy_id", "deputy_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_delegation_person_id", "person_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PublicId]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    deputy_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    # Moments: when the first day begins, and the midnight that ends the last, in the city's zone.
    first_day: Mapped[datetime]
    last_day: Mapped[datetime]
    initials: Mapped[bool]
    formats: Mapped[bool]
    signs: Mapped[bool]
    reason: Mapped[str]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=person_id, lazy="joined", innerjoin=True)
    deputy: Mapped[Person] = relationship(foreign_keys=deputy_id, lazy="joined", innerjoin=True)

    @property
    def through(self) -> datetime:
        """The last moment of the last day."""
        return self.last_day - timedelta(seconds=1)


class RouteLetter(Base):
    """A letter that one person got about one turn; its key keeps it from being sent twice."""

    __tablename__ = "route_letter"
    __table_args__ = (PrimaryKeyConstraint("subject_id", "person_id", "occasion"),)

    # The step, or the route when it is about the whole of it.
    subject_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    # `turn:<moment>`, `due:<day>`, or `<state>:<version of the route>`.
    occasion: Mapped[str]
    queued_at: Mapped[datetime]
