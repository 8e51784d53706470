"""Campaigns, their waves, the rows of their files, the batches that work rows off, and what became of each row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, PublicId


class Mode(StrEnum):
    # Each person makes a key in their browser behind a link.
    INVITE = "invite"
    # The file carries requests or proven keys, from tokens or a partner's system.
    ISSUE = "issue"


class CampaignState(StrEnum):
    # A file is uploaded, its check has not ended.
    CHECKING = "checking"
    # The dry run is done; the officer looks at it.
    CHECKED = "checked"
    # Waits for the second officer.
    SUBMITTED = "submitted"
    # May be started.
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    # Ended by an officer with rows left over.
    STOPPED = "stopped"
    FINISHED = "finished"
    # The file could not be read at all; `failure` says why.
    FAILED = "failed"


class WaveState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class RowState(StrEnum):
    """What the check said of a row; what became of it later stands in its outcome."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Result(StrEnum):
    """What became of an accepted row."""

    CERTIFIED = "certified"
    INVITED = "invited"
    # Nothing was done, for a reason that is not the row's fault: the person has got a certificate meanwhile.
    SKIPPED = "skipped"
    FAILED = "failed"


class BatchState(StrEnum):
    # Rows that must be done again under new serial numbers.
    PLANNED = "planned"
    # What will be signed is recorded; whether it was signed stands in the journal.
    INTENDED = "intended"
    DONE = "done"


class Campaign(Base):
    __tablename__ = "campaign"
    __table_args__ = (Index(None, "state"), Index(None, "agency_id"))

    id: Mapped[PublicId]
    title: Mapped[str]
    # A Mode.
    mode: Mapped[str]
    # A pki.profiles.ProfileName of a person.
    profile: Mapped[str]
    # Whose campaign it is; None for the whole city.
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    state: Mapped[str]
    failure: Mapped[str | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]

    file_name: Mapped[str]
    # SHA-256 in lower-case hex: where the file lies in the storage. A corrected file raises the version.
    file_sha256: Mapped[str]
    file_version: Mapped[int] = mapped_column(server_default="1")
    # How far the check has come, in rows of the file, and when it began and ended.
    rows_checked: Mapped[int] = mapped_column(server_default="0")
    # The same in thousandths of the file, because the number of its rows is not known before its end.
    check_permille: Mapped[int] = mapped_column(server_default="0")
    check_started_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]

    rows_accepted: Mapped[int] = mapped_column(server_default="0")
    rows_rejected: Mapped[int] = mapped_column(server_default="0")
    # Outcomes so far.
    rows_done: Mapped[int] = mapped_column(server_default="0")
    rows_failed: Mapped[int] = mapped_column(server_default="0")

    # At most so many outcomes a day; None for as many as the house can make.
    quota_per_day: Mapped[int | None]
    # How long a link of an invitation is good.
    invitation_days: Mapped[int] = mapped_column(server_default="30")
    # Everyone gets a printed letter; otherwise only who has no e-mail address.
    letters_only: Mapped[bool] = mapped_column(server_default="false")
    # The act in app.approvals that allowed it, and SHA-256 over what was allowed.
    act_id: Mapped[UUID | None]
    content_digest: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class Wave(Base):
    __tablename__ = "campaign_wave"
    __table_args__ = (UniqueConstraint("campaign_id", "position"), UniqueConstraint("campaign_id", "agency_id"))

    id: Mapped[PublicId]
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    position: Mapped[int]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    state: Mapped[str] = mapped_column(server_default=WaveState.WAITING)
    # At most so many outcomes in all; None for all of its rows.
    quota: Mapped[int | None]
    # The last row number that a batch has taken.
    cursor: Mapped[int] = mapped_column(server_default="0")
    rows_accepted: Mapped[int] = mapped_column(server_default="0")
    rows_done: Mapped[int] = mapped_column(server_default="0")
    rows_failed: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Row(Base):
    """One row of the file as the check read it. Never changed once the campaign is approved; purged after its end."""

    __tablename__ = "campaign_row"
    __table_args__ = (
        Index(None, "campaign_id", "wave_id", "number"),
        # One row a person: the second one in a file is rejected.
        Index(
            "uq_campaign_row_person",
            "campaign_id",
            "number_index",
            unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
        # One row a key, as well.
        Index(
            "uq_campaign_row_key",
            "campaign_id",
            "spki_sha256",
            unique=True,
            postgresql_where=text("state = 'accepted' AND spki_sha256 IS NOT NULL"),
        ),
        Index("ix_campaign_row_rejected", "campaign_id", "reason", postgresql_where=text("state = 'rejected'")),
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    # Row of the file, the first after the header is 1.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wave_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign_wave.id"))
    agency_id: Mapped[UUID | None]
    # A RowState; for a rejected one the reason's code (app.campaigns.words).
    state: Mapped[str]
    reason: Mapped[str | None]
    # app.registry.numbers: of the citizen number, and of its last four digits for who opens an invitation.
    number_index: Mapped[bytes | None]
    tail_index: Mapped[bytes | None]
    surname: Mapped[str | None]
    given_name: Mapped[str | None]
    email: Mapped[str | None]
    # Title of the post, for officials.
    title: Mapped[str | None]
    # Issue mode: a certification request, or SubjectPublicKeyInfo of a key whose possession was proven elsewhere.
    csr_der: Mapped[bytes | None]
    spki_der: Mapped[bytes | None]
    # Of the key in either.
    spki_sha256: Mapped[bytes | None]


class Batch(Base):
    """Rows that are worked off together: one intent, one journal, one transaction that stores what came out."""

    __tablename__ = "campaign_batch"
    __table_args__ = (
        Index("ix_campaign_batch_open", "campaign_id", "state", postgresql_where=text("state <> 'done'")),
        CheckConstraint("(state = 'intended') = (intents IS NOT NULL)", name="intents_while_intended"),
    )

    id: Mapped[PublicId]
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    wave_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_wave.id"))
    state: Mapped[str]
    # Row numbers.
    numbers: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    # app.campaigns.intents: what is to be signed for each row, while that is not stored as certificates.
    # Two megabytes that only a process after a crash reads.
    intents: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    # Where the time of the batch went, in microseconds: reading and proving, preparing and linting, signing, database.
    prove_us: Mapped[int | None] = mapped_column(BigInteger)
    prepare_us: Mapped[int | None] = mapped_column(BigInteger)
    sign_us: Mapped[int | None] = mapped_column(BigInteger)
    database_us: Mapped[int | None] = mapped_column(BigInteger)


class Outcome(Base):
    """What became of a row: written once, in the transaction of what was done.

    Its keys are not declared foreign: each of the checks would cost a tenth of what storing a certificate costs, and
    the batch that writes it holds them.
    """

    __tablename__ = "campaign_outcome"
    __table_args__ = (Index(None, "campaign_id", "done_at"),)

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # A Result; for a failed or skipped row the reason's code.
    result: Mapped[str]
    reason: Mapped[str | None]
    person_id: Mapped[UUID | None]
    certificate_id: Mapped[UUID | None]
    done_at: Mapped[datetime]


class Invitation(Base):
    """A link that lets one person make a key and get their certificate."""

    __tablename__ = "enrolment_invitation"
    __table_args__ = (UniqueConstraint("campaign_id", "row_number"),)

    id: Mapped[PublicId]
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    row_number: Mapped[int]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    # The token, sealed with a key of this installation, for letters that are printed later.
    token_sealed: Mapped[bytes]
    expires_at: Mapped[datetime]
    # Wrong answers to “last four digits”; the link locks after five.
    wrong_answers: Mapped[int] = mapped_column(server_default="0")
    challenge_sha256: Mapped[bytes | None]
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificate_request.id"))
    opened_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    printed_at: Mapped[datetime | None]
    # It goes out on paper: there is no e-mail address, or mail did not arrive.
    by_letter: Mapped[bool] = mapped_column(server_default="false")
    # The person has lost the browser that holds the key, and asks an officer for a new link.
    asked_again_at: Mapped[datetime | None]
