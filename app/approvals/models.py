"""Acts that need a second person: what exactly is asked, about whom, and who decided.

The database itself holds the rules (migration 0009): nobody votes on their own request or on an act about themselves,
each person votes once, over the digest of the act, while it is pending; nothing of an act changes but its state.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class ActState(StrEnum):
    PENDING = "pending"
    EXECUTED = "executed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    # Approved by all, and the executor could not do it; `failure` says why. Nothing of it was done.
    FAILED = "failed"


class Decision(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


class Act(Base):
    __tablename__ = "act_request"
    __table_args__ = (
        UniqueConstraint("requested_by", "idempotency_key"),
        # What a vote points at: the requester and the digest travel into it, where they are compared.
        UniqueConstraint("id", "requested_by", "digest"),
        CheckConstraint("digest = sha256(canonical)", name="digest_is_of_the_request"),
        CheckConstraint("approvals_needed >= 1", name="needs_somebody_else"),
        CheckConstraint(
            "state IN ('pending', 'executed', 'refused', 'withdrawn', 'expired', 'failed')", name="state_is_known"
        ),
        CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided_when_not_pending"),
        # Asking for the same twice gives the same act.
        Index(None, "requested_by", "digest", unique=True, postgresql_where=text("state = 'pending'")),
        Index(None, "state", "requested_at"),
        Index(None, "object_kind", "object_id"),
    )

    id: Mapped[PublicId]
    kind: Mapped[str]
    # Canonical JSON of kind, agency, object, payload and subjects: the very bytes that the digest is of. With many
    # subjects they are megabytes, which no list of acts should carry.
    canonical: Mapped[bytes] = mapped_column(deferred=True)
    # SHA-256 of `canonical`.
    digest: Mapped[bytes]
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    object_kind: Mapped[str]
    object_id: Mapped[str]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    idempotency_key: Mapped[str | None]
    # People besides the requester.
    approvals_needed: Mapped[int]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    decided_at: Mapped[datetime | None]
    # The reason of a refusal, or why the executor could not do it.
    failure: Mapped[str | None]

    @property
    def payload(self) -> dict[str, Any]:
        """What the executor works from: read from the bytes that were approved, from nowhere else."""
        found = json.loads(self.canonical)["payload"]
        if not isinstance(found, dict):
            raise TypeError("payload")
        return found

    @property
    def subject_ids(self) -> list[UUID]:
        return [UUID(subject) for subject in json.loads(self.canonical)["subjects"]]

    @property
    def digest_hex(self) -> str:
        return self.digest.hex()

    def state_at(self, now: datetime) -> ActState:
        """Return the state as people see it: over time, an act is expired before the job has written so."""
        if self.state == ActState.PENDING and now >= self.expires_at:
            return ActState.EXPIRED
        return ActState(self.state)


class ActSubject(Base):
    """A person whom the act is about; a trigger writes these from the request itself, nobody else can."""

    __tablename__ = "act_subject"

    act_id: Mapped[UUID] = mapped_column(ForeignKey("act_request.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)


class ActVote(Base):
    __tablename__ = "act_vote"
    __table_args__ = (
        # The vote is over exactly what the act says, and its copy of the requester is true.
        ForeignKeyConstraint(
            ["act_id", "requested_by", "digest"], ["act_request.id", "act_request.requested_by", "act_request.digest"]
        ),
        CheckConstraint("account_id <> requested_by", name="voter_is_not_the_requester"),
        CheckConstraint("decision IN ('approve', 'refuse')", name="decision_is_known"),
    )

    act_id: Mapped[UUID] = mapped_column(primary_key=True)
    # A person has one account at the most (unique there), so one vote an account is one vote a person.
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    requested_by: Mapped[UUID]
    digest: Mapped[bytes]
    decision: Mapped[str]
    voted_at: Mapped[datetime]


class ApprovalPause(Base):
    """A right to approve that is paused: of one officer, or of one agency for everybody in it."""

    __tablename__ = "approval_pause"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (agency_id IS NULL)", name="of_an_officer_or_an_agency"),
        CheckConstraint("lifted_by <> account_id", name="nobody_lifts_their_own"),
        Index(
            None,
            "account_id",
            "agency_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[PublicId]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    # The name of the rate that was exceeded.
    rate: Mapped[str]
    paused_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
