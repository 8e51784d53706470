"""Meetings say how their gates admit; guests have a kind, a seat, an answer and an entrance."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("meeting", sa.Column("policy", sa.Text(), server_default="strict", nullable=False))
    op.add_column("meeting", sa.Column("rotating", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("meeting", sa.Column("zones", sa.Integer(), server_default="1", nullable=False))
    op.add_column("guest", sa.Column("kind", sa.Text(), server_default="invited", nullable=False))
    op.add_column("guest", sa.Column("of_guest_id", sa.Uuid(), nullable=True))
    for name in ("title", "seat", "needs"):
        op.add_column("guest", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("guest", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("guest", sa.Column("answer", sa.Text(), server_default="none", nullable=False))
    op.add_column("guest", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("guest", sa.Column("entrance_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_guest_of_guest_id", "guest", "guest", ["of_guest_id"], ["id"])
    op.create_foreign_key("fk_guest_account_id", "guest", "account", ["account_id"], ["id"])
    for name in ("of_guest_id", "account_id", "entrance_id"):
        op.create_index(f"ix_guest_{name}", "guest", [name])


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
