"""Tablets with keys and certificates of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("device", sa.Column("public_key", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
