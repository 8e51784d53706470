"""Sealed letters, desk codes, bounces, and the keys that sign passes for days."""

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
