"""Generations of authorities, revocations that stand alone, the feed of status changes, the index of citizen numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Several serial numbers a message: a message of PostgreSQL holds less than 8,000 bytes, and one of ours takes 78.
_TELL = """
CREATE FUNCTION tell_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE part text;
BEGIN
    INSERT INTO status_change (authority_id, serial) SELECT authority_id, serial FROM changed;
    FOR part IN
        SELECT string_agg(paged.authority_id || ':' || encode(paged.serial, 'hex'), ',')
        FROM (SELECT authority_id, serial, row_number() OVER () / 80 AS page FROM changed) AS paged
        GROUP BY paged.page
    LOOP
        PERFORM pg_notify('kyvao_status', part);
    END LOOP;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("authority", sa.Column("profile", sa.Text(), nullable=True))
    op.add_column("authority", sa.Column("generation", sa.Integer(), server_default="1", nullable=False))
    op.add_column("authority", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE authority SET profile = name")
    op.alter_column("authority", "profile", nullable=False)
    op.create_unique_constraint(op.f("uq_authority_profile_generation"), "authority", ["profile", "generation"])

    op.alter_column("certificate", "tbs_der", nullable=True)

    for column in (
        sa.Column("authority_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.LargeBinary(), nullable=True),
        sa.Column("shard", sa.Integer(), nullable=True),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("revocation", column)
    op.execute(
        "UPDATE revocation SET authority_id = c.authority_id, serial = c.serial, shard = c.shard,"
        " not_after = c.not_after FROM certificate c WHERE c.id = revocation.certificate_id"
    )
    for name in ("authority_id", "serial", "shard", "not_after"):
        op.alter_column("revocation", name, nullable=False)
    op.create_foreign_key(
        op.f("fk_revocation_authority_id"), "revocation", "authority", ["authority_id"], ["id"]
    )
    op.create_index(op.f("ix_revocation_authority_id_shard"), "revocation", ["authority_id", "shard"])

    op.create_table(
        "status_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_change")),
    )
    op.create_index(op.f("ix_status_change_transaction"), "status_change", ["transaction"])
    op.execute(_TELL)
    for event, table in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER revocation_tells_{event.lower()} AFTER {event} ON revocation"
            f" REFERENCING {table} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_status_change()"
        )

    op.add_column("person", sa.Column("number_index", sa.LargeBinary(), nullable=True))
    op.create_unique_constraint(op.f("uq_person_number_index"), "person", ["number_index"])


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
