"""What publishing revocation lists keeps: shards, marks of change, lifted holds, deltas; authorities that were revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MARK = """
CREATE FUNCTION mark_shard_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shard_change (authority_id, shard) SELECT DISTINCT authority_id, shard FROM changed;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("authority", sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("authority", sa.Column("revocation_reason", sa.Integer(), nullable=True))
    op.add_column("crl", sa.Column("base_number", sa.Integer(), nullable=True))
    op.add_column("crl", sa.Column("delta_der", sa.LargeBinary(), nullable=True))

    # Serial numbers are chance: trying to compress a list costs more than reading and signing it.
    op.execute("ALTER TABLE crl ALTER COLUMN der SET STORAGE EXTERNAL, ALTER COLUMN delta_der SET STORAGE EXTERNAL")

    op.create_table(
        "crl_shard",
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["authority_id"], ["authority.id"], name=op.f("fk_crl_shard_authority_id")),
        sa.PrimaryKeyConstraint("authority_id", "shard", name=op.f("pk_crl_shard")),
    )
    op.create_index(op.f("ix_crl_shard_next_at"), "crl_shard", ["next_at"])
    op.execute(
        "INSERT INTO crl_shard (authority_id, shard, number, next_at)"
        " SELECT a.id, s, coalesce((SELECT max(c.number) FROM crl c WHERE c.authority_id = a.id AND c.shard = s), 0), now()"
        " FROM authority a, generate_series(0, a.shards - 1) AS s"
    )

    op.create_table(
        "shard_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shard_change")),
    )
    op.create_index(op.f("ix_shard_change_authority_id_shard"), "shard_change", ["authority_id", "shard"])
    op.execute(_MARK)
    for event, table in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER revocation_marks_{event.lower()} AFTER {event} ON revocation"
            f" REFERENCING {table} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION mark_shard_change()"
        )

    op.create_table(
        "hold_release",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("serial", sa.LargeBinary(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["authority_id"], ["authority.id"], name=op.f("fk_hold_release_authority_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_hold_release_certificate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_release")),
    )
    op.create_index(op.f("ix_hold_release_authority_id_shard"), "hold_release", ["authority_id", "shard"])


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
