"""What a document carries for decades: the level of its proofs, what it replaces, and whether it was withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("document", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.add_column("document", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_document_replaces_id"), "document", "document", ["replaces_id"], ["id"])
    op.create_unique_constraint(op.f("uq_document_replaces_id"), "document", ["replaces_id"])
    op.add_column("document_version", sa.Column("level", sa.Text(), nullable=True))
    op.add_column(
        "document_version",
        sa.Column("timestamp_pending", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    # What the house signed so far carries a timestamp each.
    op.execute("UPDATE document_version SET level = 'B-T' WHERE made_by = 'signature'")
