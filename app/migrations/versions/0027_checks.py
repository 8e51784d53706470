"""Sealed reports of checks: orders that `worker` carries out within minutes, and that are gone after a quarter of an hour."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "check_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(token_sha256) = 32", name=op.f("ck_check_report_token_sha256_is_a_sha256")),
        sa.CheckConstraint(
            "(state = 'waiting') = (secret IS NOT NULL)", name=op.f("ck_check_report_secret_is_there_while_it_waits")
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (fault IS NOT NULL)", name=op.f("ck_check_report_failed_with_a_fault")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_report")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_check_report_token_sha256")),
    )
    op.create_index(op.f("ix_check_report_asked_at"), "check_report", ["asked_at"])


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
