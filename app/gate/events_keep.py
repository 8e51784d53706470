"""The entries of a batch written down in one statement, with what the server said to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.gate import events_sql as sql
from app.gate.admissions_sql import Connection
from app.gate.event_message import Entry
from app.gate.events_sql import Held, Sender

if TYPE_CHECKING:
    from app.gate.events import Verdict


def keep(
    connection: Connection,
    who: Sender,
    fresh: Sequence[Entry],
    said: Mapping[UUID, Verdict],
    held: Mapping[bytes, Held],
    *,
    now: datetime,
) -> None:
    """Write new entries; a scan that came online before gets its entry of the log beside it."""
    rows = [_row(entry, said, held) for entry in fresh]
    if not rows:
        return
    names = (
        "ids", "checkpoints", "passes", "times", "device_outcomes", "device_reasons", "outcomes", "reasons", "faces",
        "directions", "slots", "flags", "refers", "seqs", "events", "signatures", "salts",
    )  # fmt: skip
    columns = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    connection.execute(
        sql.KEEP, {**columns, "device_id": who.device_id, "checkpoint_id": who.checkpoint_id, "now": now}
    )


def _row(entry: Entry, said: Mapping[UUID, Verdict], held: Mapping[bytes, Held]) -> tuple[object, ...]:
    event, found = entry.event, held.get(entry.secret_sha256 or b"")
    answer = said.get(entry.scan_id)
    return (
        entry.scan_id,
        event.checkpoint_id,
        found.pass_id if found else None,
        entry.at,
        event.outcome.value,
        event.reason.value,
        answer.outcome if answer else event.outcome.value,
        answer.reason if answer else event.reason.value,
        None,
        int(event.direction),
        event.slot,
        int(event.flags),
        event.refers_to,
        event.seq,
        entry.data,
        entry.signature,
        entry.salt,
    )
