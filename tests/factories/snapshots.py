"""A city made once for each pytest process and put back for every further test: making one costs a second or more."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import db
from app.core.settings import Settings
from app.models import Base

# What jobs leave is emptied with the tables of the house.
_TABLES = (*(table.name for table in Base.metadata.sorted_tables), "procrastinate_jobs", "procrastinate_events")


@dataclass(frozen=True)
class Snapshot:
    """The rows of each table that has any, in PostgreSQL's own form, and a copy of the data folder."""

    rows: dict[str, bytes]
    # Gone when the process ends.
    folder: TemporaryDirectory[str]


_kept: dict[str, Snapshot] = {}


def restore_or(settings: Settings, make: Any) -> None:
    """Put back what `make(settings)` left the first time it was called with such settings, or call it and keep that.

    Keys in a token stay in it, so a city with a token is made each time.
    """
    if settings.token is not None:
        make(settings)
        return
    kind = _kind(settings)
    if kind in _kept:
        _restore(settings, _kept[kind])
        return
    make(settings)
    _kept[kind] = _take(settings)


def empty() -> None:
    """Remove every row; TRUNCATE of all tables would cost fifty times as much."""
    with db.transaction() as session:
        _without_triggers(session)
        for table in _filled(session):
            session.execute(text(f'DELETE FROM "{table}"'))
            _restart(session, table)


def _kind(settings: Settings) -> str:
    """Return what makes one city differ from another: all settings but where this test runs."""
    same = replace(settings, data_dir=Path("/"), database_url=None, status_internal_url="")
    return repr((same, settings.secret_key, settings.key_passphrase, settings.number_key))


def _take(settings: Settings) -> Snapshot:
    with db.transaction() as session:
        # The mark of the timestamp service lies up to three seconds ahead: a test that comes sooner would be refused.
        rows = {table: _copy_out(session, table) for table in _filled(session) if table != "timestamp_clock"}
    folder = TemporaryDirectory(prefix="kyvao-city-")
    shutil.copytree(settings.data_dir, folder.name, dirs_exist_ok=True, ignore=_but_files)
    return Snapshot(rows, folder)


def _restore(settings: Settings, snapshot: Snapshot) -> None:
    with db.transaction() as session:
        _without_triggers(session)
        for table, rows in snapshot.rows.items():
            _copy_in(session, table, rows)
            _restart(session, table)
    shutil.copytree(snapshot.folder.name, settings.data_dir, dirs_exist_ok=True)


def _but_files(folder: str, names: list[str]) -> list[str]:
    """Sockets and other things that are neither files nor folders are not copied."""
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]


def _filled(session: Session) -> list[str]:
    looks = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in _TABLES)
    return list(session.scalars(text(looks)))


def _without_triggers(session: Session) -> None:
    # Foreign keys are triggers too, so the order of the tables does not matter.
    session.execute(text("SET LOCAL session_replication_role = replica"))


def _restart(session: Session, table: str) -> None:
    """Set the identity columns of a table to go on after its highest number, or from 1."""
    for column in _identities(session).get(table, ()):
        session.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
                f' coalesce(max("{column}"), 1), max("{column}") IS NOT NULL) FROM "{table}"'
            )
        )


_identity_columns: dict[str, list[str]] = {}


def _identities(session: Session) -> dict[str, list[str]]:
    if not _identity_columns:
        query = (
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND (is_identity = 'YES' OR column_default LIKE 'nextval(%')"
        )
        for table, column in session.execute(text(query)):
            _identity_columns.setdefault(table, []).append(column)
    return _identity_columns


def _copy_out(session: Session, table: str) -> bytes:
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT BINARY)') as copy:
        return b"".join(copy)


def _copy_in(session: Session, table: str, rows: bytes) -> None:
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT BINARY)') as copy:
        copy.write(rows)
