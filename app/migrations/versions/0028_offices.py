"""What offices asked for after the first months of routes, copies and forms."""

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
