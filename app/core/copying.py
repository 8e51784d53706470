"""Adding many rows by COPY in the transaction of a session; a row costs a tenth of an INSERT of the mapper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session


def copy_rows(session: Session, into: str, types: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add `rows`. `into` is a table with its columns in brackets, `types` their PostgreSQL types; both are constants.

    Rows added through the session before are written first, so that foreign keys find them.
    """
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types.split())
        for row in rows:
            copy.write_row(row)
