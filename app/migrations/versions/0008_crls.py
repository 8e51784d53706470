"""What publishing revocation lists keeps."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
