"""Searching, counting and saved searches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WORDS = "array_to_tsvector(array_remove(string_to_array(name, ' '::text), ''::text))"

# Entering "ends" on the last day of its validity, a certificate in force; leaving it when it is held or revoked.
_ADDED = """
CREATE FUNCTION register_added_certificates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO certificate_counter (day, state, authority_id, profile, agency_id, entered, "left")
    SELECT (created_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, state, authority_id, profile, agency_id, count(*), 0
    FROM added GROUP BY 1, 2, 3, 4, 5;
    INSERT INTO certificate_counter (day, state, authority_id, profile, agency_id, entered, "left")
    SELECT (not_after AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 'ends', authority_id, profile, NULL, count(*), 0
    FROM added WHERE state = 'issued' GROUP BY 1, 3, 4;
    INSERT INTO certificate_name (name)
    SELECT DISTINCT search_name FROM added
    WHERE NOT EXISTS (SELECT FROM certificate_name AS known WHERE known.name = added.search_name);
    RETURN NULL;
END $$
"""

# Coming back from a hold, or to another agency, is not being issued once more: it takes back a leaving.
_CHANGED = """
CREATE FUNCTION register_changed_certificates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO certificate_counter (day, state, authority_id, profile, agency_id, entered, "left")
    SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, state, authority_id, profile, agency_id, sum(entered),
        sum("left")
    FROM (
        SELECT was.state, was.authority_id, was.profile, was.agency_id, 0 AS entered, 1 AS "left"
        FROM before AS was JOIN after AS now_is USING (id)
        WHERE (was.state, was.agency_id) IS DISTINCT FROM (now_is.state, now_is.agency_id)
        UNION ALL
        SELECT now_is.state, now_is.authority_id, now_is.profile, now_is.agency_id,
            CASE WHEN back.again THEN 0 ELSE 1 END, CASE WHEN back.again THEN -1 ELSE 0 END
        FROM before AS was JOIN after AS now_is USING (id)
        CROSS JOIN LATERAL (
            SELECT was.state = now_is.state OR (was.state = 'held' AND now_is.state = 'issued') AS again
        ) AS back
        WHERE (was.state, was.agency_id) IS DISTINCT FROM (now_is.state, now_is.agency_id)
    ) AS moved
    GROUP BY 2, 3, 4, 5;
    INSERT INTO certificate_counter (day, state, authority_id, profile, agency_id, entered, "left")
    SELECT (now_is.not_after AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 'ends', now_is.authority_id, now_is.profile, NULL,
        count(*) FILTER (WHERE now_is.state = 'issued'), count(*) FILTER (WHERE was.state = 'issued')
    FROM before AS was JOIN after AS now_is USING (id)
    WHERE (was.state = 'issued') <> (now_is.state = 'issued')
    GROUP BY 1, 3, 4;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "certificate_name",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), sa.Computed(_WORDS, persisted=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_name")),
    )
    op.create_index(op.f("ix_certificate_name_name"), "certificate_name", ["name"])
    op.create_index(op.f("ix_certificate_name_words"), "certificate_name", ["words"], postgresql_using="gin")

    op.create_table(
        "certificate_counter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("entered", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_counter")),
    )
    op.create_index(op.f("ix_certificate_counter_state_day"), "certificate_counter", ["state", "day"])
    op.create_index(
        "ix_certificate_counter_total",
        "certificate_counter",
        ["state"],
        postgresql_where=sa.text("day IS NULL OR NOT folded"),
    )

    op.create_table(
        "saved_search",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_search_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_saved_search_account_id_name")),
    )

    op.execute(
        'INSERT INTO certificate_counter (day, state, authority_id, profile, agency_id, entered, "left")'
        " SELECT (created_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, state, authority_id, profile, agency_id,"
        " count(*), 0 FROM certificate GROUP BY 1, 2, 3, 4, 5"
        " UNION ALL SELECT (not_after AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 'ends', authority_id, profile, NULL,"
        " count(*), 0 FROM certificate WHERE state = 'issued' GROUP BY 1, 3, 4"
    )
    op.execute("INSERT INTO certificate_name (name) SELECT DISTINCT search_name FROM certificate")
    op.execute(_ADDED)
    op.execute(_CHANGED)
    op.execute(
        "CREATE TRIGGER certificate_is_registered AFTER INSERT ON certificate"
        " REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register_added_certificates()"
    )
    op.execute(
        "CREATE TRIGGER certificate_is_recounted AFTER UPDATE ON certificate"
        " REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT"
        " EXECUTE FUNCTION register_changed_certificates()"
    )

    # Found by authority and serial number together; PostgreSQL skips over the few authorities when only one is given.
    op.drop_index(op.f("ix_certificate_serial"), "certificate")
    op.create_index(op.f("ix_certificate_created_at"), "certificate", ["created_at"])
    # What is rare has an index of its own, so that a campaign for citizens does not pay for it.
    op.create_index(
        "ix_certificate_not_in_force",
        "certificate",
        ["state", "not_after"],
        postgresql_where=sa.text("state <> 'issued'"),
    )
    op.create_index(
        "ix_certificate_not_of_citizens",
        "certificate",
        ["profile"],
        postgresql_where=sa.text("profile <> 'citizen_signing'"),
    )


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
