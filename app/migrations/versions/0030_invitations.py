"""Invitations name a gate, and come as a sealed letter with a number for the desk."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guest", sa.Column("entrance", sa.Text(), server_default="", nullable=False))
    op.add_column("guest", sa.Column("desk_code", sa.LargeBinary()))
    op.create_unique_constraint("uq_guest_desk_code", "guest", ["desk_code"])
    op.add_column("pass", sa.Column("letter", sa.LargeBinary()))
    op.add_column("pass", sa.Column("letter_sha256", sa.LargeBinary()))
    op.create_unique_constraint("uq_pass_letter_sha256", "pass", ["letter_sha256"])
    op.drop_index("ix_notice_failed", "notice")
    undelivered = sa.text("state IN ('failed', 'bounced')")
    op.create_index("ix_notice_failed", "notice", ["subject_kind", "subject_id"], postgresql_where=undelivered)


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
