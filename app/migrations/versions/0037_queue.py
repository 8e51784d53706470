"""A job that waits once: defer, or see that it waits already, in one call."""

from alembic import op

revision = "0037"
down_revision = "0034"
branch_labels = None
depends_on = None

# The index of Procrastinate that holds a queueing lock, see its schema.
_DEFER_ONCE = """
CREATE FUNCTION defer_once(job procrastinate_job_to_defer_v1) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    broken text;
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[job]);
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
    IF broken LIKE '%queueing_lock%' THEN
        RETURN false;
    END IF;
    RAISE;
END
$$
"""


def upgrade() -> None:
    op.execute(_DEFER_ONCE)


def downgrade() -> None:
    raise NotImplementedError("Data is not taken away: restore a backup instead.")
