"""Proofs that are renewed: what the archive knows of each signed document, and its runs."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "archive_entry",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("renew_by", moment, nullable=True),
        sa.Column("pending_since", moment, nullable=True),
        sa.Column("try_at", moment, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", moment, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("checked_at", moment, nullable=True),
        sa.Column("checked_by", sa.Text(), nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.CheckConstraint("level IN ('B-B', 'B-T', 'B-LT', 'B-LTA')", name=op.f("ck_archive_entry_level_is_known")),
        sa.CheckConstraint("wanted IN ('B-T', 'B-LT', 'B-LTA')", name=op.f("ck_archive_entry_wanted_is_known")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_archive_entry_document_id")),
        sa.ForeignKeyConstraint(["version_id"], ["document_version.id"], name=op.f("fk_archive_entry_version_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_archive_entry")),
    )
    op.create_index("ix_archive_entry_due", "archive_entry", ["renew_by", "document_id"])
    op.create_index(
        "ix_archive_entry_pending", "archive_entry", ["try_at"], postgresql_where=sa.text("pending_since IS NOT NULL")
    )
    op.create_index(
        "ix_archive_entry_failed", "archive_entry", ["tried_at"], postgresql_where=sa.text("failure IS NOT NULL")
    )
    op.create_table(
        "archive_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("due_before", moment, nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.CheckConstraint("state IN ('running', 'paused', 'done')", name=op.f("ck_archive_run_state_is_known")),
        sa.ForeignKeyConstraint(["started_by"], ["account.id"], name=op.f("fk_archive_run_started_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_run")),
    )
    op.create_index(
        "uq_archive_run_open",
        "archive_run",
        [sa.text("(state <> 'done')")],
        unique=True,
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_table(
        "archive_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("done_at", moment, nullable=False),
        sa.Column("renewed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["archive_run.id"], name=op.f("fk_archive_step_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_step")),
    )
    op.create_index(op.f("ix_archive_step_run_id_done_at"), "archive_step", ["run_id", "done_at"])
    # What was signed before there was an archive.
    op.execute(
        "INSERT INTO archive_entry (document_id, version_id, level, wanted)"
        " SELECT DISTINCT ON (document_id) document_id, id, level, 'B-T' FROM document_version"
        " WHERE level IS NOT NULL ORDER BY document_id, number DESC"
    )
