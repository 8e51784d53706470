"""Alembic's environment: one connection, one transaction, one migrating process at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from app.models import Base

# Any number, the same in every process.
MIGRATION_LOCK = 4_901_337

if context.is_offline_mode():
    raise SystemExit("Migrations run against a database, not as a script.")

engine = create_engine(context.config.attributes["database_url"])
with engine.begin() as connection:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_name=lambda name, kind, _parents: not (kind == "table" and str(name).startswith("procrastinate_")),
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
