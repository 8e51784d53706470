"""Walk-ins, what the desk wrote down, the roll of an evacuation, and who keeps a building."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "roll_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_roll_call_building_id"),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name="fk_roll_call_ended_by"),
        sa.ForeignKeyConstraint(["started_by"], ["account.id"], name="fk_roll_call_started_by"),
        sa.PrimaryKeyConstraint("id", name="pk_roll_call"),
    )
    op.create_index(
        "uq_roll_call_running", "roll_call", ["building_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "walk_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search_name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("host_account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("number_hash", sa.LargeBinary(), nullable=True),
        sa.Column("badge_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("came_at", _MOMENT, nullable=True),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("left_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_walk_in_building_id"),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name="fk_walk_in_created_by"),
        sa.ForeignKeyConstraint(["host_account_id"], ["account.id"], name="fk_walk_in_host_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_walk_in"),
        sa.UniqueConstraint("badge_sha256", name="uq_walk_in_badge_sha256"),
        sa.UniqueConstraint("number", name="uq_walk_in_number"),
    )
    op.create_index("ix_walk_in_building_id_created_at", "walk_in", ["building_id", "created_at"], unique=False)
    op.create_index("ix_walk_in_host_account_id_state", "walk_in", ["host_account_id", "state"], unique=False)
    op.create_index(
        "ix_walk_in_inside", "walk_in", ["building_id"], unique=False, postgresql_where=sa.text("state = 'inside'")
    )
    op.create_table(
        "roll_mark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roll_call_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("marked_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_roll_mark_account_id"),
        sa.ForeignKeyConstraint(["roll_call_id"], ["roll_call.id"], name="fk_roll_mark_roll_call_id"),
        sa.PrimaryKeyConstraint("id", name="pk_roll_mark"),
    )
    op.create_index("ix_roll_mark_roll_call_id_person_id", "roll_mark", ["roll_call_id", "person_id"], unique=False)
    op.create_table(
        "roll_person",
        sa.Column("roll_call_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["roll_call_id"], ["roll_call.id"], name="fk_roll_person_roll_call_id"),
        sa.PrimaryKeyConstraint("roll_call_id", "person_id", name="pk_roll_person"),
    )
    op.create_table(
        "desk_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("guest_id", sa.Uuid(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_desk_entry_account_id"),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_desk_entry_building_id"),
        sa.ForeignKeyConstraint(["guest_id"], ["guest.id"], name="fk_desk_entry_guest_id"),
        sa.PrimaryKeyConstraint("id", name="pk_desk_entry"),
    )
    op.create_index("ix_desk_entry_building_id_at", "desk_entry", ["building_id", "at"], unique=False)
    op.create_index("ix_desk_entry_guest_id", "desk_entry", ["guest_id"], unique=False)
    op.create_table(
        "zone",
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_zone_building_id"),
        sa.PrimaryKeyConstraint("building_id", "number", name="pk_zone"),
    )
    op.create_table(
        "watch_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search_name", sa.Text(), nullable=False),
        sa.Column("number_hash", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_watch_entry_asked_by"),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_watch_entry_building_id"),
        sa.PrimaryKeyConstraint("id", name="pk_watch_entry"),
    )
    op.create_index("ix_watch_entry_building_id", "watch_entry", ["building_id"], unique=False)
    op.create_index(
        "ix_watch_entry_active",
        "watch_entry",
        ["search_name"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "ix_admission_inside",
        "admission",
        ["checkpoint_id"],
        unique=False,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.add_column("building", sa.Column("keeper_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_building_keeper_id", "building", "agency", ["keeper_id"], ["id"])


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
