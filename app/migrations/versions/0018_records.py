"""Agency seals, acts agreed to with a password, and the register of documents."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The number after the last, never an earlier day, in the series' own year: whatever a program above does wrong.
_IN_ORDER = """
CREATE FUNCTION register_entry_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_number integer;
    last_day date;
    series_year integer;
BEGIN
    SELECT year INTO series_year FROM register_series WHERE id = NEW.series_id FOR UPDATE;
    SELECT number, issued_on INTO last_number, last_day FROM register_entry
        WHERE series_id = NEW.series_id ORDER BY number DESC LIMIT 1;
    IF NEW.number <> coalesce(last_number, 0) + 1 THEN
        RAISE EXCEPTION 'register: the next number is %, not %', coalesce(last_number, 0) + 1, NEW.number;
    END IF;
    IF NEW.issued_on < last_day OR extract(year FROM NEW.issued_on) <> series_year THEN
        RAISE EXCEPTION 'register: a number is not dated back';
    END IF;
    RETURN NEW;
END $$
"""

# A line of a book may be given up, with an explanation, once. Nothing else of it changes, and it does not go away.
_ENTRY_STAYS = """
CREATE FUNCTION register_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND (NEW.id, NEW.series_id, NEW.number, NEW.label, NEW.issued_on, NEW.subject, NEW.search_text, NEW.recipients,
            NEW.clerk_id, NEW.made_at)
           = (OLD.id, OLD.series_id, OLD.number, OLD.label, OLD.issued_on, OLD.subject, OLD.search_text, OLD.recipients,
              OLD.clerk_id, OLD.made_at)
       AND (NEW.pages, NEW.document_id, NEW.version_id, NEW.route_id, NEW.signer_id, NEW.seal_id)
           IS NOT DISTINCT FROM
           (OLD.pages, OLD.document_id, OLD.version_id, OLD.route_id, OLD.signer_id, OLD.seal_id)
       AND (OLD.state, NEW.state) IN (('issued', 'cancelled'), ('reserved', 'unused')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'register: an entry stays as it was written';
END $$
"""

_USE_STAYS = """
CREATE FUNCTION seal_use_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the use of a seal stays as it was written';
END $$
"""

_PROOF_STAYS = """
CREATE FUNCTION step_up_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.used_at IS NULL
       AND (NEW.id, NEW.account_id, NEW.purpose, NEW.statement, NEW.digest, NEW.means, NEW.proven_at, NEW.expires_at)
           = (OLD.id, OLD.account_id, OLD.purpose, OLD.statement, OLD.digest, OLD.means, OLD.proven_at, OLD.expires_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what was agreed to stays as it was written';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "register_series",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_register_series_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_series")),
        sa.UniqueConstraint("agency_id", "kind", "year", name=op.f("uq_register_series_agency_id_kind_year")),
    )
    op.create_table(
        "register_symbol",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_register_symbol_agency_id")),
        sa.ForeignKeyConstraint(["chosen_by"], ["account.id"], name=op.f("fk_register_symbol_chosen_by")),
        sa.PrimaryKeyConstraint("agency_id", "kind", name=op.f("pk_register_symbol")),
    )
    op.create_table(
        "step_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_step_up_digest_is_a_sha256")),
        sa.CheckConstraint("used_at BETWEEN proven_at AND expires_at", name=op.f("ck_step_up_used_in_time")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_step_up_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_up")),
        sa.UniqueConstraint("digest", name=op.f("uq_step_up_digest")),
    )
    op.create_index(op.f("ix_step_up_account_id_proven_at"), "step_up", ["account_id", "proven_at"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("route_id", sa.Uuid(), nullable=True),
        sa.Column("signer_id", sa.Uuid(), nullable=True),
        sa.Column("seal_id", sa.Uuid(), nullable=True),
        sa.Column("clerk_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("explained_by", sa.Uuid(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(document_id IS NULL) = (state IN ('reserved', 'unused'))",
            name=op.f("ck_register_entry_issued_has_a_document"),
        ),
        sa.CheckConstraint(
            "(state IN ('unused', 'cancelled')) = (explanation IS NOT NULL)",
            name=op.f("ck_register_entry_given_up_is_explained"),
        ),
        sa.CheckConstraint(
            "state IN ('issued', 'reserved', 'unused', 'cancelled')", name=op.f("ck_register_entry_state_is_known")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_register_entry_counts_from_one")),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_register_entry_clerk_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_register_entry_document_id")),
        sa.ForeignKeyConstraint(["explained_by"], ["person.id"], name=op.f("fk_register_entry_explained_by")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_register_entry_route_id")),
        sa.ForeignKeyConstraint(["seal_id"], ["certificate.id"], name=op.f("fk_register_entry_seal_id")),
        sa.ForeignKeyConstraint(["series_id"], ["register_series.id"], name=op.f("fk_register_entry_series_id")),
        sa.ForeignKeyConstraint(["signer_id"], ["person.id"], name=op.f("fk_register_entry_signer_id")),
        sa.ForeignKeyConstraint(["version_id"], ["document_version.id"], name=op.f("fk_register_entry_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
        sa.UniqueConstraint("document_id", name=op.f("uq_register_entry_document_id")),
        sa.UniqueConstraint("series_id", "number", name=op.f("uq_register_entry_series_id_number")),
    )
    op.create_index(op.f("ix_register_entry_issued_on"), "register_entry", ["issued_on"], unique=False)
    op.create_index(op.f("ix_register_entry_route_id"), "register_entry", ["route_id"], unique=False)
    op.create_table(
        "seal_use",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("document_digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("step_up_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(document_digest) = 32", name=op.f("ck_seal_use_digest_is_a_sha256")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_seal_use_agency_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_seal_use_certificate_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_seal_use_document_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_seal_use_person_id")),
        sa.ForeignKeyConstraint(["step_up_id"], ["step_up.id"], name=op.f("fk_seal_use_step_up_id")),
        sa.ForeignKeyConstraint(["version_id"], ["document_version.id"], name=op.f("fk_seal_use_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_use")),
        sa.UniqueConstraint("version_id", name=op.f("uq_seal_use_version_id")),
    )
    op.create_index(op.f("ix_seal_use_agency_id_used_at"), "seal_use", ["agency_id", "used_at"], unique=False)
    op.create_index(op.f("ix_seal_use_certificate_id"), "seal_use", ["certificate_id"], unique=False)
    op.create_index(op.f("ix_seal_use_document_id"), "seal_use", ["document_id"], unique=False)
    op.create_index(op.f("ix_seal_use_step_up_id"), "seal_use", ["step_up_id"], unique=False)
    op.create_table(
        "issue_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("step_up_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (entry_id IS NOT NULL)", name=op.f("ck_issue_request_done_has_an_entry")
        ),
        sa.CheckConstraint("state IN ('waiting', 'done', 'refused')", name=op.f("ck_issue_request_state_is_known")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_issue_request_agency_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["register_entry.id"], name=op.f("fk_issue_request_entry_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_issue_request_person_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_issue_request_route_id")),
        sa.ForeignKeyConstraint(["step_up_id"], ["step_up.id"], name=op.f("fk_issue_request_step_up_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_request")),
        sa.UniqueConstraint("step_up_id", name=op.f("uq_issue_request_step_up_id")),
    )
    op.create_index(
        op.f("ix_issue_request_agency_id_asked_at"), "issue_request", ["agency_id", "asked_at"], unique=False
    )
    op.create_index(
        "uq_issue_request_waiting",
        "issue_request",
        ["route_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.execute(_IN_ORDER)
    op.execute(
        "CREATE TRIGGER register_entry_in_order BEFORE INSERT ON register_entry"
        " FOR EACH ROW EXECUTE FUNCTION register_entry_in_order()"
    )
    for table, function, definition in (
        ("register_entry", "register_entry_stays", _ENTRY_STAYS),
        ("seal_use", "seal_use_stays", _USE_STAYS),
        ("step_up", "step_up_stays", _PROOF_STAYS),
    ):
        op.execute(definition)
        op.execute(
            f"CREATE TRIGGER {function} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
