"""The life of a certificate: renewal, proposals, bulk revocation."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
