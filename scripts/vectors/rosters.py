"""A roster, an update of it, and what a tablet reads there with and without a pass."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from pki.passes import roster
from pki.passes.roster import Record, RosterFlags
from pki.passes.signed_list import Edition
from scripts.vectors.world import LISTS_UNTIL, START, World, text

_ID: Final = hashlib.sha256(b"roster").digest()[: roster.ID_LENGTH]
_LAN: Final = Record(
    "Nguyễn Thị Lan", "Giám đốc", "Công ty A", "Ông Trần Văn Minh", "Họp giao ban", "Phòng họp A1", "B12",
    "xe lăn", RosterFlags.HELP, bytes(range(256)) * 6,
)  # fmt: skip
_BINH: Final = Record("Trần Bình", meeting="Họp giao ban", flags=RosterFlags.WATCH)


def secret(number: int) -> bytes:
    return hashlib.sha256(f"secret {number}".encode()).digest()[:16]


def rosters(world: World) -> dict[str, object]:
    """Return a roster of two guests, an update that takes one away, changes one and adds one, and the answers."""
    first = _sealed({0: _LAN, 1: _BINH})
    moved = replace(_LAN, seat="C1")
    second = {**_sealed({0: moved, 2: replace(_BINH, name="Lê Chi")})}
    gone = sorted(first.keys() - second.keys())
    return {
        "header": text(_header(1, first, world)),
        "body": text(roster.join(first)),
        "secrets": [text(secret(number)) for number in range(3)],
        "answers": [_shown(_LAN), _shown(_BINH), None],
        "update": {
            "header": text(_header(2, second, world)),
            "removed": text(b"".join(gone)),
            "entries": text(roster.join(second)),
            "body": text(roster.join(second)),
            "answers": [_shown(moved), None, _shown(replace(_BINH, name="Lê Chi"))],
        },
    }


def _header(version: int, records: dict[bytes, bytes], world: World) -> bytes:
    edition = Edition(version, START, LISTS_UNTIL)
    return roster.sign_header(edition, _ID, building="TTHC", day=20261123, records=records, key=world.trust)


def _sealed(guests: dict[int, Record]) -> dict[bytes, bytes]:
    return {roster.index_of(secret(one), _ID): roster.seal(record, secret(one), _ID) for one, record in guests.items()}


def _shown(record: Record) -> dict[str, object]:
    return {**vars(record), "flags": int(record.flags), "portrait": text(record.portrait)}
