"""Approvals, rates of officers, alarms."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
