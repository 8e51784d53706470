"""A received file is looked up among all versions by its digest."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_document_version_sha256", "document_version", ["sha256"])


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
