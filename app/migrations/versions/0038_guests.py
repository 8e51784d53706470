"""What a guest writes beside the answer."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guest", sa.Column("answer_note", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
