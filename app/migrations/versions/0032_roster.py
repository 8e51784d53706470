"""The encrypted roster of a building and day; small portraits for it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guest", sa.Column("thumbnail", sa.LargeBinary(), nullable=True))
    op.create_table(
        "roster",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_roster_building_id"),
        sa.PrimaryKeyConstraint("id", name="pk_roster"),
        sa.UniqueConstraint("building_id", "day", name="uq_roster_building_id_day"),
    )
    op.create_table(
        "roster_record",
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("pass_id", sa.Uuid(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_in", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pass_id"], ["pass.id"], name="fk_roster_record_pass_id"),
        sa.ForeignKeyConstraint(["roster_id"], ["roster.id"], name="fk_roster_record_roster_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("roster_id", "place", name="pk_roster_record"),
        sa.UniqueConstraint("roster_id", "pass_id", name="uq_roster_record_roster_id_pass_id"),
    )


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
