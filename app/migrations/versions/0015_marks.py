"""Pictures of signatures and seals."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_IN_USE = sa.text("state = 'in_use'")


def upgrade() -> None:
    op.create_table(
        "mark_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("before_png", sa.LargeBinary(), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("height_mm", sa.Double(), nullable=False),
        sa.Column("diameter_mm", sa.Double(), nullable=True),
        sa.Column("dpi", sa.Integer(), nullable=False),
        sa.Column("coloured", sa.Double(), nullable=False),
        sa.Column("paper_removed", sa.Boolean(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(person_id IS NULL) <> (agency_id IS NULL)", name=op.f("ck_mark_picture_of_a_person_or_an_agency")),
        sa.CheckConstraint("width_mm > 0 AND height_mm > 0", name=op.f("ck_mark_picture_has_a_size")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_mark_picture_agency_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mark_picture_person_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["account.id"], name=op.f("fk_mark_picture_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_picture")),
    )
    op.create_index(op.f("ix_mark_picture_agency_id_uploaded_at"), "mark_picture", ["agency_id", "uploaded_at"])
    op.create_index(op.f("ix_mark_picture_person_id_uploaded_at"), "mark_picture", ["person_id", "uploaded_at"])
    op.create_index("uq_mark_picture_agency_in_use", "mark_picture", ["agency_id"], unique=True, postgresql_where=_IN_USE)
    op.create_index("uq_mark_picture_person_in_use", "mark_picture", ["person_id"], unique=True, postgresql_where=_IN_USE)
