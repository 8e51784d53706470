"""Migrations and models describe the same tables."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from app.models import Base


def test_migrations_make_exactly_the_tables_of_the_models(database: str) -> None:
    engine = create_engine(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith("procrastinate")),
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_the_log_of_acts_refuses_to_be_rewritten(database: str) -> None:
    from sqlalchemy.exc import ProgrammingError

    from app.audit import service
    from app.core import db
    from app.core.permissions import house

    with db.transaction() as session:
        service.record(session, house("test"), "signed_in", object_kind="account", object_id="x")
    for statement in ("UPDATE audit_entry SET act = 'other'", "DELETE FROM audit_entry"):
        refused = False
        try:
            with db.transaction() as session:
                session.execute(text(statement))
        except ProgrammingError as error:
            refused = "only ever added" in str(error)
        assert refused, statement
