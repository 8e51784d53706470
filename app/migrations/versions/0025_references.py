"""What a certificate refers to is looked up once for all rows of a statement, and can never be taken away.

A foreign key of PostgreSQL looks up and locks each row by itself: a quarter of what storing a certificate costs
(docs/adr/0015). Here nobody is ever removed, so the lock guards nothing: people, agencies and authorities refuse to be
deleted, and a statement that adds certificates checks its references together. The keys stay declared, NOT ENFORCED.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_REFERENCES = {"authority_id": "authority", "person_id": "person", "agency_id": "agency"}

# Each row by the index: a plan over the whole of a table would be made once and kept as both grow.
_MISSING = """
    SELECT added.{column} INTO missing FROM (SELECT DISTINCT {column} FROM {rows} AS each_one) AS added
    WHERE added.{column} IS NOT NULL
        AND (SELECT 1 FROM {table} AS known WHERE known.id = added.{column} LIMIT 1) IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING MESSAGE = '{table} ' || missing || ' of a certificate is not known',
            CONSTRAINT = 'fk_certificate_{column}', TABLE = 'certificate';
    END IF;
"""


def _function(name: str, rows: str) -> str:
    looks = "".join(_MISSING.format(column=column, table=table, rows=rows) for column, table in _REFERENCES.items())
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE missing uuid; BEGIN {looks}"
        " RETURN NULL; END $$"
    )


def upgrade() -> None:
    op.execute(_function("find_references_of_added_certificates", "added"))
    op.execute(
        "CREATE TRIGGER certificate_refers_to_what_is_known AFTER INSERT ON certificate REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION find_references_of_added_certificates()"
    )
    op.execute(_function("find_references_of_a_changed_certificate", "(SELECT NEW.*)"))
    op.execute(
        "CREATE TRIGGER certificate_still_refers_to_what_is_known AFTER UPDATE OF authority_id, person_id, agency_id"
        " ON certificate FOR EACH ROW EXECUTE FUNCTION find_references_of_a_changed_certificate()"
    )
    op.execute(
        "CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE foreign_key_violation USING MESSAGE = TG_TABLE_NAME || ': rows stay, what refers to them must be found';"
        " END $$"
    )
    for column, table in _REFERENCES.items():
        for event in ("DELETE", "UPDATE OF id", "TRUNCATE"):
            name = f"{table}_stays_on_{event.split()[0].lower()}"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal()"
            )
        op.execute(f"ALTER TABLE certificate ALTER CONSTRAINT fk_certificate_{column} NOT ENFORCED")


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
