"""The life of a certificate: renewals, planned ends, notices, proposals, bulk revocation; revoked is for good."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# 6 is certificateHold, 1 keyCompromise (RFC 5280, 5.3.1). A final entry keeps its time and may only become graver.
_KEEP_REVOCATIONS = """
CREATE FUNCTION keep_final_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.reason = 6 THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.reason = 1 AND NEW.revoked_at = OLD.revoked_at
        AND NEW.certificate_id = OLD.certificate_id AND NEW.authority_id = OLD.authority_id
        AND NEW.serial = OLD.serial AND NEW.shard = OLD.shard AND NEW.not_after = OLD.not_after
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a revocation is final' USING ERRCODE = 'check_violation';
END $$
"""
_KEEP_STATES = """
CREATE FUNCTION keep_final_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a % certificate stays so', OLD.state USING ERRCODE = 'check_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "certificate_renewal_proof",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_renewal_proof_certificate_id")),
        sa.ForeignKeyConstraint(["request_id"], ["certificate_request.id"], name=op.f("fk_certificate_renewal_proof_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_certificate_renewal_proof")),
    )
    op.create_table(
        "certificate_succession",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_succession_certificate_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["certificate.id"], name=op.f("fk_certificate_succession_successor_id")),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificate_succession")),
    )
    op.create_index(
        op.f("ix_certificate_succession_ends_at"), "certificate_succession", ["ends_at"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "expiry_notice",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_expiry_notice_certificate_id")),
        sa.PrimaryKeyConstraint("certificate_id", "step", name=op.f("pk_expiry_notice")),
    )
    op.create_table(
        "certificate_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_certificate_proposal_agency_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_proposal_certificate_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_certificate_proposal_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_proposal")),
    )
    op.create_index(
        "uq_certificate_proposal_open", "certificate_proposal", ["certificate_id"], unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_index(
        "ix_certificate_proposal_open", "certificate_proposal", ["proposed_at"],
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "bulk_revocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Integer(), nullable=True),
        sa.Column("invalidity_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("ready", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_bulk_revocation_agency_id")),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_bulk_revocation_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_revocation")),
    )
    op.create_index(op.f("ix_bulk_revocation_created_at"), "bulk_revocation", ["created_at"])
    op.create_table(
        "bulk_revocation_row",
        sa.Column("bulk_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_revocation.id"], name=op.f("fk_bulk_revocation_row_bulk_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_bulk_revocation_row_certificate_id")),
        sa.PrimaryKeyConstraint("bulk_id", "number", name=op.f("pk_bulk_revocation_row")),
    )

    op.add_column("agency", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_agency_merged_into_id"), "agency", "agency", ["merged_into_id"], ["id"])

    # What soon ends; and what each certificate signed, for the impact of a revocation.
    op.create_index(
        "ix_certificate_ending", "certificate", ["not_after", "id"], postgresql_where=sa.text("state = 'issued'")
    )
    op.create_index(op.f("ix_signing_session_certificate_id"), "signing_session", ["certificate_id"])
    op.create_index(op.f("ix_pass_signer_certificate_id"), "pass", ["signer_certificate_id"])

    op.execute(_KEEP_REVOCATIONS)
    op.execute(
        "CREATE TRIGGER revocation_is_final BEFORE UPDATE OR DELETE ON revocation"
        " FOR EACH ROW EXECUTE FUNCTION keep_final_revocation()"
    )
    op.execute(_KEEP_STATES)
    op.execute(
        "CREATE TRIGGER certificate_state_is_final BEFORE UPDATE OF state ON certificate FOR EACH ROW"
        " WHEN (OLD.state IN ('revoked', 'abandoned') AND NEW.state IS DISTINCT FROM OLD.state)"
        " EXECUTE FUNCTION keep_final_state()"
    )


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
