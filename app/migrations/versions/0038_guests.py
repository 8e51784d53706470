"""What a guest writes beside the answer, and who was reminded of which beginning."""

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
    op.add_column("guest", sa.Column("answer_note", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
