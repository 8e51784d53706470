"""Whom the check trusts, by an administrator's decision."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# A root or a host is entered once and removed once; everything else about it stays as two people decided.
_ANCHOR_STAYS = """
CREATE FUNCTION trust_anchor_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.removed_at IS NULL AND NEW.removed_at IS NOT NULL
       AND (NEW.id, NEW.certificate_der, NEW.kind, NEW.below_der, NEW.reason, NEW.act_id, NEW.imported_at)
           = (OLD.id, OLD.certificate_der, OLD.kind, OLD.below_der, OLD.reason, OLD.act_id, OLD.imported_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a root stays as two people decided';
END $$
"""
_HOST_STAYS = """
CREATE FUNCTION trust_host_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.removed_at IS NULL AND NEW.removed_at IS NOT NULL
       AND (NEW.id, NEW.host, NEW.may_be_private, NEW.reason, NEW.act_id, NEW.added_at)
           = (OLD.id, OLD.host, OLD.may_be_private, OLD.reason, OLD.act_id, OLD.added_at)
       AND NEW.port IS NOT DISTINCT FROM OLD.port
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a host stays as two people decided';
END $$
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "trust_anchor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("certificate_der", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("not_before", moment, nullable=False),
        sa.Column("not_after", moment, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("below_der", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("imported_at", moment, nullable=False),
        sa.Column("removed_at", moment, nullable=True),
        sa.Column("removal_reason", sa.Text(), nullable=True),
        sa.Column("removal_act_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('own', 'national', 'government', 'organisation')", name=op.f("ck_trust_anchor_kind_is_known")
        ),
        sa.CheckConstraint(
            "sha256 = encode(sha256(certificate_der), 'hex')",
            name=op.f("ck_trust_anchor_fingerprint_is_of_the_certificate"),
        ),
        sa.CheckConstraint(
            "(removed_at IS NULL) = (removal_act_id IS NULL) AND (removed_at IS NULL) = (removal_reason IS NULL)",
            name=op.f("ck_trust_anchor_removed_by_an_act_with_a_reason"),
        ),
        sa.ForeignKeyConstraint(["act_id"], ["act_request.id"], name=op.f("fk_trust_anchor_act_id")),
        sa.ForeignKeyConstraint(["removal_act_id"], ["act_request.id"], name=op.f("fk_trust_anchor_removal_act_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_anchor")),
        sa.UniqueConstraint("act_id", name=op.f("uq_trust_anchor_act_id")),
        sa.UniqueConstraint("removal_act_id", name=op.f("uq_trust_anchor_removal_act_id")),
    )
    op.create_index(
        op.f("ix_trust_anchor_sha256"),
        "trust_anchor",
        ["sha256"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "trust_host",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("may_be_private", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("removed_at", moment, nullable=True),
        sa.Column("removed_by", sa.Uuid(), nullable=True),
        sa.Column("removal_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("host = lower(host) AND host <> ''", name=op.f("ck_trust_host_host_is_lower_case")),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name=op.f("ck_trust_host_port_is_one")),
        sa.CheckConstraint(
            "(removed_at IS NULL) = (removed_by IS NULL) AND (removed_at IS NULL) = (removal_reason IS NULL)",
            name=op.f("ck_trust_host_removed_by_somebody_with_a_reason"),
        ),
        sa.ForeignKeyConstraint(["act_id"], ["act_request.id"], name=op.f("fk_trust_host_act_id")),
        sa.ForeignKeyConstraint(["removed_by"], ["account.id"], name=op.f("fk_trust_host_removed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_host")),
        sa.UniqueConstraint("act_id", name=op.f("uq_trust_host_act_id")),
    )
    op.create_index(
        op.f("ix_trust_host_host_port"),
        "trust_host",
        ["host", "port"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "trust_evidence",
        sa.Column("question", sa.LargeBinary(), nullable=False),
        sa.Column("anchor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("next_update", moment, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("again_at", moment, nullable=False),
        sa.CheckConstraint("kind IN ('crl', 'ocsp')", name=op.f("ck_trust_evidence_kind_is_known")),
        sa.CheckConstraint(
            "(der IS NULL) = (next_update IS NULL)", name=op.f("ck_trust_evidence_answer_says_until_when")
        ),
        sa.CheckConstraint(
            "der IS NOT NULL OR failure IS NOT NULL", name=op.f("ck_trust_evidence_an_answer_or_a_failure")
        ),
        sa.ForeignKeyConstraint(["anchor_id"], ["trust_anchor.id"], name=op.f("fk_trust_evidence_anchor_id")),
        sa.PrimaryKeyConstraint("question", name=op.f("pk_trust_evidence")),
    )
    op.create_index(op.f("ix_trust_evidence_anchor_id"), "trust_evidence", ["anchor_id"])
    op.create_index(op.f("ix_trust_evidence_again_at"), "trust_evidence", ["again_at"])
    for table, function, definition in (
        ("trust_anchor", "trust_anchor_stays", _ANCHOR_STAYS),
        ("trust_host", "trust_host_stays", _HOST_STAYS),
    ):
        op.execute(definition)
        op.execute(
            f"CREATE TRIGGER {function} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
