"""Access tokens and idempotency keys of the API."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
