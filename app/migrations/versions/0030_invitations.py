"""Invitations name a gate."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guest", sa.Column("entrance", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
