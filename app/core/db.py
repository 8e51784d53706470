"""The database: declarative base, column types and the one transaction of an entry point.

Views, tasks and commands open `transaction()`; services receive its session and never commit.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import DateTime, Engine, LargeBinary, MetaData, Text, Uuid, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

type_annotations: dict[Any, Any] = {
    str: Text(),
    datetime: DateTime(timezone=True),
    bytes: LargeBinary(),
    UUID: Uuid(),
    dict[str, Any]: JSONB(),
}

# A random public identifier: it may stand in a URL without telling how many there are.
PublicId = Annotated[UUID, mapped_column(Uuid(), primary_key=True, default=uuid4)]


class Base(DeclarativeBase):
    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = type_annotations


class NotConfigured(RuntimeError):
    """The process used the database before `configure` named it."""


_sessions: sessionmaker[Session] = sessionmaker(expire_on_commit=False)


def configure(database_url: str) -> Engine:
    """Bind this process to `database_url` (`postgresql+psycopg://…`); a second call rebinds it."""
    engine = create_engine(database_url, pool_size=10, max_overflow=10, connect_args={"application_name": "kyvao"})
    event.listen(engine, "checkout", _refuse_dead)
    _sessions.configure(bind=engine)
    return engine


def _refuse_dead(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """Let the pool replace a connection that the server has closed, without asking the server.

    Nothing arrives on an idle connection but word of its end (or a notice, and then a new one costs little).
    """
    if connection.closed:
        raise DisconnectionError
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise DisconnectionError


def dispose() -> None:
    """Close the pooled connections; used before a fork and by tests."""
    engine = _sessions.kw.get("bind")
    if isinstance(engine, Engine):
        engine.dispose()


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of an entry point: committed when the block ends, rolled back when it raises."""
    if _sessions.kw.get("bind") is None:
        raise NotConfigured("app.core.db.configure() was not called")
    with _sessions.begin() as session:
        yield session
