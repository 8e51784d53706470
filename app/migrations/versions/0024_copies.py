"""Certified copies of issued documents: who asked for each, what became of it, and which file and number it got."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_copy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("original_id", sa.Uuid(), nullable=False),
        sa.Column("original_version_id", sa.Uuid(), nullable=False),
        sa.Column("original_label", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clerk_id", sa.Uuid(), nullable=True),
        sa.Column("step_up_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(form = 'TrS') = (pages IS NOT NULL)", name=op.f("ck_document_copy_an_extract_has_pages")),
        sa.CheckConstraint(
            "(state = 'declined') = (reason IS NOT NULL)", name=op.f("ck_document_copy_declined_says_why")
        ),
        sa.CheckConstraint(
            "(state = 'done') = (document_id IS NOT NULL)", name=op.f("ck_document_copy_done_has_a_document")
        ),
        sa.CheckConstraint("form IN ('SY', 'SL', 'TrS')", name=op.f("ck_document_copy_form_is_known")),
        sa.CheckConstraint(
            "state <> 'waiting' OR step_up_id IS NOT NULL", name=op.f("ck_document_copy_waiting_was_agreed_to")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'waiting', 'done', 'declined')", name=op.f("ck_document_copy_state_is_known")
        ),
        sa.CheckConstraint(
            "(document_id IS NULL) = (entry_id IS NULL)", name=op.f("ck_document_copy_document_has_an_entry")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_document_copy_agency_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_document_copy_asked_by")),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_document_copy_clerk_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_copy_document_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["register_entry.id"], name=op.f("fk_document_copy_entry_id")),
        sa.ForeignKeyConstraint(["original_id"], ["document.id"], name=op.f("fk_document_copy_original_id")),
        sa.ForeignKeyConstraint(
            ["original_version_id"], ["document_version.id"], name=op.f("fk_document_copy_original_version_id")
        ),
        sa.ForeignKeyConstraint(["step_up_id"], ["step_up.id"], name=op.f("fk_document_copy_step_up_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_copy")),
        sa.UniqueConstraint("document_id", name=op.f("uq_document_copy_document_id")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_document_copy_entry_id")),
        sa.UniqueConstraint("step_up_id", name=op.f("uq_document_copy_step_up_id")),
    )
    op.create_index(
        op.f("ix_document_copy_agency_id_asked_at"), "document_copy", ["agency_id", "asked_at"], unique=False
    )
    op.create_index(op.f("ix_document_copy_original_id"), "document_copy", ["original_id"], unique=False)
    op.create_index(
        "uq_document_copy_open",
        "document_copy",
        ["original_id", "agency_id", "form", sa.literal_column("coalesce(pages, '')")],
        unique=True,
        postgresql_where=sa.text("state IN ('asked', 'waiting')"),
    )


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
