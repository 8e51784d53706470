"""Leases, chained scans, and incidents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _logs()
    _leases()
    _incidents()
    op.add_column("admission", sa.Column("left_at", _MOMENT, nullable=True))
    op.add_column("admission", sa.Column("entries", sa.Integer(), server_default="1", nullable=False))
    op.add_column("meeting", sa.Column("reentry", sa.Text(), server_default="none", nullable=False))
    op.add_column("pass", sa.Column("leased_to", sa.Uuid(), nullable=True))
    for name in ("direction", "slot", "flags"):
        op.add_column("scan", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("scan", sa.Column("refers_to", sa.Uuid(), nullable=True))
    op.add_column("scan", sa.Column("seq", sa.BigInteger(), nullable=True))
    for name in ("event", "signature", "salt"):
        op.add_column("scan", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.create_index("ix_scan_device_id_seq", "scan", ["device_id", "seq"])


def _logs() -> None:
    op.create_table(
        "tablet_log",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("contiguous", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("boot_id", sa.Uuid(), nullable=True),
        sa.Column("closed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("hlc", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("monotonic_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("forked_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_tablet_log_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_tablet_log"),
    )


def _leases() -> None:
    op.create_table(
        "lease",
        sa.Column("pass_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("granted_at", _MOMENT, nullable=False),
        sa.Column("not_after", _MOMENT, nullable=False),
        sa.Column("recalled_at", _MOMENT, nullable=True),
        sa.Column("recalled_epoch", sa.Integer(), nullable=True),
        sa.Column("released_at", _MOMENT, nullable=True),
        sa.Column("in_doubt_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_lease_device_id"),
        sa.ForeignKeyConstraint(["pass_id"], ["pass.id"], name="fk_lease_pass_id"),
        sa.PrimaryKeyConstraint("pass_id", "slot", name="pk_lease"),
    )
    op.create_index("ix_lease_device_id_released_at", "lease", ["device_id", "released_at"])
    op.create_table(
        "lease_edition",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("boot_id", sa.Uuid(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("not_after", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_lease_edition_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_lease_edition"),
    )


def _incidents() -> None:
    op.create_table(
        "gate_incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("pass_id", sa.Uuid(), nullable=True),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("earlier_scan_id", sa.Uuid(), nullable=True),
        sa.Column("happened_at", _MOMENT, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("resolved_at", _MOMENT, nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name="fk_gate_incident_building_id"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_gate_incident_device_id"),
        sa.ForeignKeyConstraint(["pass_id"], ["pass.id"], name="fk_gate_incident_pass_id"),
        sa.ForeignKeyConstraint(["resolved_by"], ["account.id"], name="fk_gate_incident_resolved_by"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_incident"),
        sa.UniqueConstraint("kind", "scan_id", name="uq_gate_incident_kind_scan_id"),
    )
    op.create_index(
        "ix_gate_incident_building_id_resolved_at_recorded_at",
        "gate_incident",
        ["building_id", "resolved_at", "recorded_at"],
    )


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
