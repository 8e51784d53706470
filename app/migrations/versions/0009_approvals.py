"""Acts that need a second person, pauses of the right to approve, alarms, settings of profiles."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Nothing of an act changes but its state, and it is executed only over enough approvals.
_ACT_GUARD = """
CREATE FUNCTION guard_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.canonical, NEW.digest, NEW.agency_id, NEW.object_kind, NEW.object_id, NEW.requested_by,
        NEW.requested_at, NEW.idempotency_key, NEW.approvals_needed, NEW.expires_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.canonical, OLD.digest, OLD.agency_id, OLD.object_kind, OLD.object_id, OLD.requested_by,
        OLD.requested_at, OLD.idempotency_key, OLD.approvals_needed, OLD.expires_at) THEN
        RAISE EXCEPTION 'an act is not edited: it is withdrawn and asked for again';
    END IF;
    IF OLD.state <> 'pending' AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'an act that was decided stays decided';
    END IF;
    IF OLD.state = 'pending' AND NEW.state IN ('executed', 'failed') AND (
        SELECT count(*) FROM act_vote WHERE act_id = NEW.id AND decision = 'approve') < NEW.approvals_needed THEN
        RAISE EXCEPTION 'an act is not executed without its approvals';
    END IF;
    RETURN NEW;
END $$
"""
# The row of the act is locked, so that of two last votes one waits and finds the act decided.
_VOTE_GUARD = """
CREATE FUNCTION guard_act_vote() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE act act_request%ROWTYPE;
BEGIN
    SELECT * INTO act FROM act_request WHERE id = NEW.act_id FOR UPDATE;
    IF act.state <> 'pending' OR NEW.voted_at >= act.expires_at THEN
        RAISE EXCEPTION 'no vote after the decision or the expiry';
    END IF;
    IF (act.object_kind = 'account' AND act.object_id = NEW.account_id::text)
       OR EXISTS (SELECT FROM act_subject s JOIN account a ON a.person_id = s.person_id
               WHERE s.act_id = NEW.act_id AND a.id = NEW.account_id) THEN
        RAISE EXCEPTION 'nobody votes on an act about themselves';
    END IF;
    RETURN NEW;
END $$
"""
# The people of an act are those in the bytes that the digest is of; nobody adds another or leaves one out.
_SUBJECTS = """
CREATE FUNCTION name_subjects_of_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO act_subject (act_id, person_id)
    SELECT NEW.id, subject::uuid
    FROM json_array_elements_text(convert_from(NEW.canonical, 'UTF8')::json -> 'subjects') AS subject;
    RETURN NULL;
END $$
"""
_SUBJECT_GUARD = """
CREATE FUNCTION guard_act_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the people of an act are named by its request';
    END IF;
    RETURN NEW;
END $$
"""
_FROZEN = """
CREATE FUNCTION refuse_change_of_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'votes and subjects of acts are only ever added';
END $$
"""


def _time(name: str, *, nullable: bool = False, default: bool = False) -> sa.Column[datetime]:
    server_default = sa.text("now()") if default else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default)


def upgrade() -> None:
    op.create_table(
        "act_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        _time("requested_at"),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        _time("expires_at"),
        sa.Column("state", sa.Text(), nullable=False),
        _time("decided_at", nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act_request")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_act_request_agency_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["account.id"], name=op.f("fk_act_request_requested_by")),
        sa.UniqueConstraint(
            "requested_by", "idempotency_key", name=op.f("uq_act_request_requested_by_idempotency_key")
        ),
        sa.UniqueConstraint("id", "requested_by", "digest", name=op.f("uq_act_request_id_requested_by_digest")),
        sa.CheckConstraint("digest = sha256(canonical)", name=op.f("ck_act_request_digest_is_of_the_request")),
        sa.CheckConstraint("approvals_needed >= 1", name=op.f("ck_act_request_needs_somebody_else")),
        sa.CheckConstraint(
            "state IN ('pending', 'executed', 'refused', 'withdrawn', 'expired', 'failed')",
            name=op.f("ck_act_request_state_is_known"),
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (decided_at IS NULL)", name=op.f("ck_act_request_decided_when_not_pending")
        ),
    )
    op.create_index(
        op.f("ix_act_request_requested_by_digest"),
        "act_request",
        ["requested_by", "digest"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(op.f("ix_act_request_state_requested_at"), "act_request", ["state", "requested_at"])
    op.create_index(op.f("ix_act_request_object_kind_object_id"), "act_request", ["object_kind", "object_id"])

    op.create_table(
        "act_subject",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", "person_id", name=op.f("pk_act_subject")),
        sa.ForeignKeyConstraint(["act_id"], ["act_request.id"], name=op.f("fk_act_subject_act_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_act_subject_person_id")),
    )
    op.create_table(
        "act_vote",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        _time("voted_at"),
        sa.PrimaryKeyConstraint("act_id", "account_id", name=op.f("pk_act_vote")),
        sa.ForeignKeyConstraint(
            ["act_id", "requested_by", "digest"],
            ["act_request.id", "act_request.requested_by", "act_request.digest"],
            name=op.f("fk_act_vote_act_id_requested_by_digest"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_act_vote_account_id")),
        sa.CheckConstraint("account_id <> requested_by", name=op.f("ck_act_vote_voter_is_not_the_requester")),
        sa.CheckConstraint("decision IN ('approve', 'refuse')", name=op.f("ck_act_vote_decision_is_known")),
    )
    for function in (_ACT_GUARD, _VOTE_GUARD, _SUBJECTS, _SUBJECT_GUARD, _FROZEN):
        op.execute(function)
    for trigger in (
        "act_request_is_guarded BEFORE UPDATE ON act_request FOR EACH ROW EXECUTE FUNCTION guard_act()",
        "act_request_stays BEFORE DELETE ON act_request FOR EACH ROW EXECUTE FUNCTION refuse_change_of_act()",
        "act_request_names_subjects AFTER INSERT ON act_request FOR EACH ROW EXECUTE FUNCTION name_subjects_of_act()",
        "act_vote_is_guarded BEFORE INSERT ON act_vote FOR EACH ROW EXECUTE FUNCTION guard_act_vote()",
        "act_vote_stays BEFORE UPDATE OR DELETE ON act_vote FOR EACH ROW EXECUTE FUNCTION refuse_change_of_act()",
        "act_subject_is_guarded BEFORE INSERT ON act_subject FOR EACH ROW EXECUTE FUNCTION guard_act_subject()",
        "act_subject_stays BEFORE UPDATE OR DELETE ON act_subject"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_act()",
    ):
        op.execute(f"CREATE TRIGGER {trigger}")

    op.create_table(
        "approval_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("rate", sa.Text(), nullable=False),
        _time("paused_at"),
        _time("lifted_at", nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_pause")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_approval_pause_account_id")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_approval_pause_agency_id")),
        sa.ForeignKeyConstraint(["lifted_by"], ["account.id"], name=op.f("fk_approval_pause_lifted_by")),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (agency_id IS NULL)", name=op.f("ck_approval_pause_of_an_officer_or_an_agency")
        ),
        sa.CheckConstraint("lifted_by <> account_id", name=op.f("ck_approval_pause_nobody_lifts_their_own")),
    )
    op.create_index(
        op.f("ix_approval_pause_account_id_agency_id"),
        "approval_pause",
        ["account_id", "agency_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )

    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        _time("raised_at", default=True),
        _time("last_at", default=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        _time("closed_at", nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_alarm_agency_id")),
        sa.ForeignKeyConstraint(["closed_by"], ["account.id"], name=op.f("fk_alarm_closed_by")),
    )
    op.create_index(
        op.f("ix_alarm_kind_object_kind_object_id"),
        "alarm",
        ["kind", "object_kind", "object_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(op.f("ix_alarm_raised_at"), "alarm", ["raised_at"])

    op.create_table(
        "profile_setting",
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("validity_days", sa.Integer(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        _time("set_at"),
        sa.PrimaryKeyConstraint("profile", "version", name=op.f("pk_profile_setting")),
        sa.ForeignKeyConstraint(["act_id"], ["act_request.id"], name=op.f("fk_profile_setting_act_id")),
        sa.UniqueConstraint("act_id", name=op.f("uq_profile_setting_act_id")),
        sa.CheckConstraint("validity_days >= 1", name=op.f("ck_profile_setting_validity_is_positive")),
    )


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
