"""A register of a size that no measurement can wait for: rows as issuing leaves them, by COPY, signed by nobody.

The names are as frequent as in life; the certificates are bytes of the usual length. Serial numbers come from the seed,
so that whoever knows it can ask for them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg

from app.demo.names import names
from app.registry.search import fold

# Of a thousand certificates.
_REVOKED: Final = 40
_HELD: Final = 3
_OFFICIALS: Final = 12
_LIFE: Final = timedelta(days=730)
_SPREAD: Final = timedelta(days=120)
_BATCH: Final = 1000


@dataclass(frozen=True)
class Rows:
    """What the rows have in common. `authorities` and `shards` are of the citizens' and the officials' authority."""

    authorities: tuple[UUID, UUID]
    shards: tuple[int, int]
    # Certificates fall on agencies unevenly, as wards are.
    agencies: Sequence[UUID]
    now: datetime
    seed: int = 1
    # Since when certificates have been issued, in days.
    days: int = 400
    # Half a page, as a certificate of ours.
    der_bytes: int = 880


def serial_numbers(seed: int, count: int) -> Iterator[bytes]:
    """Give the serial numbers of the first `count` rows, eighteen octets each."""
    source = random.Random(f"serial {seed}")  # noqa: S311  for a measurement
    for _ in range(count):
        yield b"\x01" + source.randbytes(17)


def copy_people(connection: psycopg.Connection, count: int, *, seed: int = 1) -> None:
    """Add one person for each row that `copy_certificates` makes with the same seed."""
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY person (id, identifier, surname, given_name, full_name, search_name) FROM STDIN") as copy,
    ):
        for number, name in enumerate(names(count, seed=seed)):
            surname, _, given = name.partition(" ")
            line = (_person(seed, number), f"XX:VN-{number:020X}", surname, given, name, fold(name))
            copy.write(_line(*line))


def copy_certificates(connection: psycopg.Connection, rows: Rows, count: int, *, with_people: bool = False) -> None:
    """Add `count` certificates with the revocations among them, in the transaction of `connection`.

    Foreign keys are not looked up, which would take half of the time; the register's own trigger works as ever.
    """
    revoked: list[str] = []
    connection.execute("ALTER TABLE certificate ENABLE ALWAYS TRIGGER certificate_is_registered")
    connection.execute("SET LOCAL session_replication_role = replica")
    with connection.cursor() as cursor, cursor.copy(COLUMNS) as copy:
        for line, revocation in certificate_lines(rows, count, with_people=with_people):
            copy.write(line)
            if revocation:
                revoked.append(revocation)
    with connection.cursor() as cursor, cursor.copy(_REVOCATIONS) as copy:
        for line in revoked:
            copy.write(line)
    connection.execute("SET LOCAL session_replication_role = DEFAULT")
    connection.execute("ALTER TABLE certificate ENABLE TRIGGER certificate_is_registered")


COLUMNS: Final = (
    "COPY certificate (id, authority_id, serial, shard, state, profile, profile_digest, person_id, agency_id, label,"
    " search_name, not_before, not_after, spki_sha256, der, sha256, created_at) FROM STDIN"
)
_REVOCATIONS: Final = (
    "COPY revocation (certificate_id, authority_id, serial, shard, not_after, reason, revoked_at, entry_der) FROM STDIN"
)


def certificate_lines(rows: Rows, count: int, *, with_people: bool) -> Iterator[tuple[str, str | None]]:
    """Give a line for COPY for each certificate, and one for its revocation where it has one."""
    source = random.Random(f"rows {rows.seed}")  # noqa: S311  for a measurement
    agencies = source.choices(rows.agencies, cum_weights=_uneven(len(rows.agencies)), k=count)
    step = timedelta(days=rows.days) / (count / _BATCH + 1)
    start = rows.now - timedelta(days=rows.days)
    der = r"\\x" + source.randbytes(rows.der_bytes).hex()
    digest = hashlib.sha256(b"profile").hexdigest()
    for number, (name, serial) in enumerate(
        zip(names(count, seed=rows.seed), serial_numbers(rows.seed, count), strict=True)
    ):
        official = source.randrange(1000) < _OFFICIALS
        authority = rows.authorities[official]
        kind = source.randrange(1000)
        state = "revoked" if kind < _REVOKED else "held" if kind < _REVOKED + _HELD else "issued"
        made = start + step * (number // _BATCH)
        not_after = made + _LIFE - source.random() * _SPREAD
        identifier, octets = UUID(int=source.getrandbits(128), version=4), r"\\x" + serial.hex()
        shard = int.from_bytes(serial, "big") % rows.shards[official]
        profile = "official_signing" if official else "citizen_signing"
        person = _person(rows.seed, number) if with_people else r"\N"
        key, whole = source.randbytes(32).hex(), source.randbytes(32).hex()
        head = (identifier, authority, octets, shard)
        line = _line(
            *head,
            state,
            profile,
            digest,
            person,
            agencies[number],
            name,
            fold(name),
            made,
            not_after,
            key,
            der,
            whole,
            made,
        )
        entry = _line(*head, not_after, 6 if state == "held" else 1, rows.now, r"\\x3023")
        yield line, None if state == "issued" else entry


def _line(*fields: object) -> str:
    return "\t".join(map(str, fields)) + "\n"


def _person(seed: int, number: int) -> UUID:
    return UUID(int=(seed << 64) + number + 1)


def _uneven(count: int) -> list[float]:
    total, weights = 0.0, []
    for rank in range(count):
        total += 1 / (rank + 10)
        weights.append(total)
    return weights
