"""Answers, reminders, agendas and papers of meetings; places in the status list come back."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("meeting", sa.Column("reminders", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "reminder",
        sa.Column("guest_id", sa.Uuid(), sa.ForeignKey("guest.id"), primary_key=True),
        sa.Column("kind", sa.Integer(), primary_key=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "meeting_item",
        sa.Column("meeting_id", sa.Uuid(), sa.ForeignKey("meeting.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("starts_at", sa.DateTime(timezone=True)),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("presenter", sa.Text(), nullable=False),
    )
    op.create_table(
        "meeting_paper",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("meeting_id", sa.Uuid(), sa.ForeignKey("meeting.id"), nullable=False),
        sa.Column("version_id", sa.Uuid(), sa.ForeignKey("document_version.id"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_meeting_paper_meeting_id", "meeting_paper", ["meeting_id"])
    op.alter_column("pass", "status_index", nullable=True)
    op.add_column("guest", sa.Column("answer_note", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
