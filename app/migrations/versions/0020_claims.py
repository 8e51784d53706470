"""Claims on documents, and citizens' forms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim_key_list",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_claim_key_list")),
    )
    op.create_table(
        "citizen_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("search_title", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("pdf_sha256", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_citizen_form_agency_id")),
        sa.ForeignKeyConstraint(["published_by"], ["account.id"], name=op.f("fk_citizen_form_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citizen_form")),
    )
    op.create_index(op.f("ix_citizen_form_agency_id"), "citizen_form", ["agency_id"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "document_disclosure",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("document_class", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("document_class BETWEEN 0 AND 2", name=op.f("ck_document_disclosure_class_is_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_document_disclosure_account_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_disclosure_document_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_disclosure")),
    )
    op.create_table(
        "document_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.LargeBinary(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("signed_version_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document_class", sa.Integer(), nullable=False),
        sa.Column("digits", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("issued_version_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("document_class BETWEEN 0 AND 2", name=op.f("ck_document_claim_class_is_known")),
        sa.CheckConstraint("octet_length(claim_id) = 8", name=op.f("ck_document_claim_claim_id_has_8_octets")),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_document_claim_digest_is_a_sha256")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_document_claim_agency_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_document_claim_certificate_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_claim_document_id")),
        sa.ForeignKeyConstraint(["issued_version_id"], ["document_version.id"], name=op.f("fk_document_claim_issued_version_id")),
        sa.ForeignKeyConstraint(["signed_version_id"], ["document_version.id"], name=op.f("fk_document_claim_signed_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_claim")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_document_claim_claim_id")),
        sa.UniqueConstraint("digits", name=op.f("uq_document_claim_digits")),
        sa.UniqueConstraint("document_id", name=op.f("uq_document_claim_document_id")),
    )
    op.create_index(op.f("ix_document_claim_agency_id"), "document_claim", ["agency_id"])
    op.create_index(op.f("ix_document_claim_certificate_id"), "document_claim", ["certificate_id"])
    op.create_table(
        "form_submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("answers", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("verdict_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_form_submission_agency_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_form_submission_document_id")),
        sa.ForeignKeyConstraint(["form_id"], ["citizen_form.id"], name=op.f("fk_form_submission_form_id")),
        sa.ForeignKeyConstraint(["handled_by"], ["account.id"], name=op.f("fk_form_submission_handled_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_form_submission_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_submission")),
        sa.UniqueConstraint("document_id", name=op.f("uq_form_submission_document_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_form_submission_reference")),
    )
    op.create_index(op.f("ix_form_submission_agency_id_sent_at"), "form_submission", ["agency_id", "sent_at"], postgresql_where=sa.text("sent_at IS NOT NULL"))
    op.create_index(op.f("ix_form_submission_form_id"), "form_submission", ["form_id"])
    op.create_index(op.f("ix_form_submission_person_id_filled_at"), "form_submission", ["person_id", "filled_at"])
