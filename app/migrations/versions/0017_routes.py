"""Routes of papers: who acts in which order, delegations, and what becomes of an issued paper at its recipients."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# A route ends once; it counts as signed only when every step is done and a head other than its drafter has signed.
_ROUTE_GUARD = """
CREATE FUNCTION guard_route() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF OLD.state IN ('template', 'replaced') OR (OLD.state = 'withdrawn' AND NEW.state <> 'replaced')
       OR (OLD.state = 'issued' AND NEW.state <> 'replaced') OR (NEW.state = 'issued' AND OLD.state <> 'signed') THEN
        RAISE EXCEPTION 'a route that is % does not become %', OLD.state, NEW.state;
    END IF;
    IF NEW.state = 'signed' AND (
        EXISTS (SELECT FROM route_step WHERE route_id = NEW.id AND state <> 'done')
        OR NOT EXISTS (SELECT FROM route_act
            WHERE route_id = NEW.id AND duty = 'sign' AND person_id <> NEW.drafter_id)) THEN
        RAISE EXCEPTION 'a route is not signed before its last step, and not by its drafter alone';
    END IF;
    IF NEW.state = 'issued' AND NOT EXISTS (SELECT FROM route_act WHERE route_id = NEW.id AND duty = 'issue') THEN
        RAISE EXCEPTION 'a route is not issued without the act of a clerk';
    END IF;
    RETURN NEW;
END $$
"""
_FROZEN = """
CREATE FUNCTION refuse_change_of_route_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was done on a route is only ever added';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "route",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("drafter_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("search_title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state IN ('template', 'draft', 'running', 'declined', 'signed', 'issued', 'withdrawn', 'replaced')",
            name=op.f("ck_route_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_route_agency_id")),
        sa.ForeignKeyConstraint(["drafter_id"], ["person.id"], name=op.f("fk_route_drafter_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["route.id"], name=op.f("fk_route_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_route_replaces_id")),
    )
    op.create_index(
        op.f("ix_route_agency_id_state_created_at"), "route", ["agency_id", "state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_route_drafter_id_state"), "route", ["drafter_id", "state"], unique=False)
    op.create_table(
        "route_letter",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_route_letter_person_id")),
        sa.PrimaryKeyConstraint("subject_id", "person_id", "occasion", name=op.f("pk_route_letter")),
    )
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("initials", sa.Boolean(), nullable=False),
        sa.Column("formats", sa.Boolean(), nullable=False),
        sa.Column("signs", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_delegation_runs_forward")),
        sa.CheckConstraint("initials OR formats OR signs", name=op.f("ck_delegation_hands_something_over")),
        sa.CheckConstraint("person_id <> deputy_id", name=op.f("ck_delegation_is_to_somebody_else")),
        sa.ForeignKeyConstraint(["deputy_id"], ["person.id"], name=op.f("fk_delegation_deputy_id")),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_delegation_made_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_delegation_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index(
        "ix_delegation_deputy_id",
        "delegation",
        ["deputy_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_delegation_person_id",
        "delegation",
        ["person_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "dispatch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("openings", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'sent', 'arrived', 'received', 'assigned', 'done')",
            name=op.f("ck_dispatch_state_is_known"),
        ),
        sa.CheckConstraint(
            "(agency_id IS NULL) <> (email IS NULL) AND (email IS NULL) = (name IS NULL)",
            name=op.f("ck_dispatch_goes_to_an_agency_or_an_address"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_dispatch_agency_id")),
        sa.ForeignKeyConstraint(["assignee_id"], ["person.id"], name=op.f("fk_dispatch_assignee_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_dispatch_route_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
        sa.UniqueConstraint("route_id", "agency_id", name=op.f("uq_dispatch_route_id_agency_id")),
        sa.UniqueConstraint("route_id", "email", name=op.f("uq_dispatch_route_id_email")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_dispatch_token_sha256")),
    )
    op.create_index(
        "ix_dispatch_assignee",
        "dispatch",
        ["assignee_id"],
        unique=False,
        postgresql_where=sa.text("state = 'assigned'"),
    )
    op.create_index(
        "ix_dispatch_inbox",
        "dispatch",
        ["agency_id", "sent_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'planned'"),
    )
    op.create_table(
        "route_duty",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.CheckConstraint("duty IN ('initial', 'format', 'sign', 'issue')", name=op.f("ck_route_duty_duty_is_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_route_duty_person_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_duty_route_id")),
        sa.PrimaryKeyConstraint("route_id", "person_id", name=op.f("pk_route_duty")),
        sa.UniqueConstraint("route_id", "person_id", "duty", name=op.f("uq_route_duty_route_id_person_id_duty")),
    )
    op.create_table(
        "route_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("post_title", sa.Text(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("field_name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("act IN ('initial', 'format', 'sign')", name=op.f("ck_route_step_act_is_known")),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'done', 'declined')", name=op.f("ck_route_step_state_is_known")
        ),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (agency_id IS NULL) AND (agency_id IS NULL) = (post_title IS NULL)",
            name=op.f("ck_route_step_names_a_person_or_a_post"),
        ),
        sa.CheckConstraint("days BETWEEN 1 AND 60", name=op.f("ck_route_step_days_are_few")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_route_step_agency_id")),
        sa.ForeignKeyConstraint(["done_by"], ["person.id"], name=op.f("fk_route_step_done_by")),
        sa.ForeignKeyConstraint(["on_behalf_of_id"], ["person.id"], name=op.f("fk_route_step_on_behalf_of_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_route_step_person_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_step_route_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_step")),
        sa.UniqueConstraint(
            "route_id", "number", deferrable=True, initially="DEFERRED", name=op.f("uq_route_step_route_id_number")
        ),
    )
    op.create_index(
        "ix_route_step_open", "route_step", ["route_id"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index("ix_route_step_person_id", "route_step", ["person_id"], unique=False)
    op.create_index("ix_route_step_agency_id_post_title", "route_step", ["agency_id", "post_title"], unique=False)
    op.create_index("ix_route_step_done_by", "route_step", ["done_by"], unique=False)
    op.create_table(
        "dispatch_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispatch_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatch.id"], name=op.f("fk_dispatch_event_dispatch_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_dispatch_event_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_event")),
    )
    op.create_index(op.f("ix_dispatch_event_dispatch_id"), "dispatch_event", ["dispatch_id"], unique=False)
    op.create_index(
        "uq_dispatch_event_opened",
        "dispatch_event",
        ["dispatch_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'opened' AND person_id IS NOT NULL"),
    )
    op.create_table(
        "route_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("acted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(step_id IS NULL) = (duty = 'issue')", name=op.f("ck_route_act_issuing_is_no_step")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_route_act_document_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_route_act_person_id")),
        sa.ForeignKeyConstraint(
            ["route_id", "person_id", "duty"],
            ["route_duty.route_id", "route_duty.person_id", "route_duty.duty"],
            name="fk_route_act_duty",
        ),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_act_route_id")),
        sa.ForeignKeyConstraint(["step_id"], ["route_step.id"], name=op.f("fk_route_act_step_id")),
        sa.ForeignKeyConstraint(["version_id"], ["document_version.id"], name=op.f("fk_route_act_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_act")),
        sa.UniqueConstraint("step_id", "document_id", name=op.f("uq_route_act_step_id_document_id")),
    )
    op.create_index(op.f("ix_route_act_route_id"), "route_act", ["route_id"], unique=False)
    op.create_index(
        "uq_route_act_issue",
        "route_act",
        ["route_id", "document_id"],
        unique=True,
        postgresql_where=sa.text("duty = 'issue'"),
    )
    op.create_index(
        "uq_route_act_step_id", "route_act", ["step_id"], unique=True, postgresql_where=sa.text("document_id IS NULL")
    )
    op.create_table(
        "route_document",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("issued_version_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_route_document_document_id")),
        sa.ForeignKeyConstraint(
            ["issued_version_id"], ["document_version.id"], name=op.f("fk_route_document_issued_version_id")
        ),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_document_route_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_route_document")),
        sa.UniqueConstraint("route_id", "position", name=op.f("uq_route_document_route_id_position")),
    )

    op.execute(_ROUTE_GUARD)
    op.execute("CREATE TRIGGER guard_route BEFORE UPDATE ON route FOR EACH ROW EXECUTE FUNCTION guard_route()")
    op.execute(_FROZEN)
    for table in ("route_act", "route_duty", "dispatch_event"):
        op.execute(
            f"CREATE TRIGGER freeze_{table} BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_route_act()"
        )
