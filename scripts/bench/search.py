"""How long searching the register takes at a million certificates, and what its indexes cost each certificate issued.

    .venv/bin/python -m scripts.bench.search [--quick]

`search.p95_ms` is the worst of the kinds. Each kind is asked with other words every time, for its first page and the
next, by an administrator of the city and by registration officers of a district and of a ward. `--quick` measures
200,000 certificates.
"""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from sqlalchemy import func, insert, select

from app.certificates import register_counters
from app.certificates.models import Authority, Certificate
from app.certificates.register_filters import read
from app.certificates.register_search import search
from app.core import db
from app.core.permissions import Actor, Grant, Role, house
from app.registry.models import Agency
from app.registry.search import fold
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.register_rows import COLUMNS, Rows, certificate_lines, copy_certificates, copy_people
from scripts.bench.search_kinds import KINDS, Register

DISTRICTS: Final = 20
WARDS: Final = 96
WARMING: Final = 3
_INDEXES: Final = (
    "ix_certificate_search_name",
    "ix_certificate_agency_id",
    "ix_certificate_created_at",
    "ix_certificate_not_in_force",
    "ix_certificate_not_of_citizens",
)
_BATCH: Final = 1000
_BATCHES: Final = 20


def main() -> None:
    count, samples = (200_000, 12) if is_quick() else (1_000_000, 40)
    with city(wards=0) as found:
        districts, wards, codes = add_agencies()
        rows = fill(found, wards, count)
        register = look_around(codes, rows.now)
        actors = (house("benchmark"), officer(districts[3]), officer(wards[0]))
        worst = 0.0
        for name in KINDS:
            taken = measure(name, register, actors, samples)
            figure(f"search.{name}_p95_ms", taken, "ms")
            worst = max(worst, taken)
        figure("search.p95_ms", worst, "ms")
        figure("search.insert_cost_us", insert_cost(found, rows), "us")
        figure("search.rows", count, "certificates")


def add_agencies() -> tuple[list[UUID], list[UUID], list[str]]:
    """Add districts and their wards below the city; return districts, wards and the codes of both."""
    with db.transaction() as session:
        top = session.scalars(select(Agency).where(Agency.parent_id.is_(None))).one()
        districts = [_agency(f"H99.{number:02}", f"Quận {number}", top.id, top.path) for number in range(DISTRICTS)]
        wards = [
            _agency(f"{above['code']}.{ward:03}", f"Phường {number}.{ward}", above["id"], above["path"])
            for number, above in enumerate(districts)
            for ward in range(WARDS)
        ]
        session.execute(insert(Agency), districts + wards)
    random.Random(3).shuffle(wards)  # noqa: S311  for a measurement
    every = districts + wards
    return [row["id"] for row in districts], [row["id"] for row in wards], [row["code"] for row in every]


def fill(found: City, wards: list[UUID], count: int) -> Rows:
    """Make people and `count` certificates, counted and analysed as the jobs and autovacuum leave them."""
    say(f"{count} certificates are made")
    with db.transaction() as session:
        named = {one.name: one for one in session.scalars(select(Authority))}
    pair = named["issuing_citizens"], named["issuing_officials"]
    rows = Rows((pair[0].id, pair[1].id), (pair[0].shards, pair[1].shards), wards, datetime.now(UTC))
    with psycopg.connect(_address(found)) as connection:
        copy_people(connection, count)
        copy_certificates(connection, rows, count, with_people=True)
    with db.transaction() as session:
        register_counters.fold(session, now=rows.now)
    with psycopg.connect(_address(found), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return rows


def look_around(codes: list[str], now: datetime) -> Register:
    """Return names and numbers that are there, from all over the register."""
    with db.transaction() as session:
        # By their random ids, so that they are of all days.
        shown = select(Certificate.label, func.encode(Certificate.serial, "hex").label("serial"))
        found = session.execute(shown.order_by(Certificate.id).limit(20_000)).all()
    return Register([row.label for row in found], [row.serial for row in found], codes, now)


def measure(name: str, register: Register, actors: tuple[Actor, ...], samples: int) -> float:
    """Return the 95th percentile of a kind of search in milliseconds."""
    source = random.Random(f"kind {name}")  # noqa: S311  for a measurement
    taken: list[tuple[float, str]] = []
    # The first ones are not counted: the process reads and compiles what it keeps from then on.
    for number in range(-WARMING, samples):
        filters, wrong = read(KINDS[name](source, register))
        assert not wrong, wrong
        # Half of them ask for the whole city.
        actor = actors[0] if number % 2 else source.choice(actors[1:])
        key = None
        for _page in range(2):
            started = time.perf_counter()
            with db.transaction() as session:
                page = search(session, actor, filters, after=key, now=register.now)
            elapsed = (time.perf_counter() - started) * 1000
            taken += [(elapsed, str(filters.arguments()))] if number >= 0 else []
            if (key := page.next_key) is None:
                break
    figured, asked = sorted(taken)[int(len(taken) * 0.95)]
    say(f"{name}: {figured:.0f} ms for {asked}")
    return figured


def insert_cost(found: City, rows: Rows) -> float:
    """Return what the register's indexes, list of names and counters cost each certificate stored, in µs of CPU."""
    more = Rows(rows.authorities, rows.shards, rows.agencies[:8], rows.now, seed=2, days=1)
    lines = [line for line, _revocation in certificate_lines(more, 4 * _BATCH * _BATCHES, with_people=False)]
    share = _BATCH * _BATCHES
    with psycopg.connect(_address(found)) as connection:
        _copy(connection, lines[:share])
        full = _copy(connection, lines[share : 2 * share])
        for name in _INDEXES:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        connection.execute("ALTER TABLE certificate DISABLE TRIGGER certificate_is_registered")
        _copy(connection, lines[2 * share : 3 * share])
        bare = _copy(connection, lines[3 * share :])
        connection.rollback()
    say(f"{full:.1f} µs a certificate with the register, {bare:.1f} µs without")
    return full - bare


def _copy(connection: psycopg.Connection, lines: list[str]) -> float:
    """Store lines in batches; return the microseconds that the server's process worked for each."""
    started = _worked(connection)
    for first in range(0, len(lines), _BATCH):
        with connection.cursor() as cursor, cursor.copy(COLUMNS) as copy:
            copy.write("".join(lines[first : first + _BATCH]))
    return (_worked(connection) - started) / len(lines) * 1e6


def _worked(connection: psycopg.Connection) -> float:
    """Return the seconds of CPU that the server's process of this connection has used."""
    fields = Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _agency(code: str, name: str, parent_id: UUID, above: str) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "code": code,
        "name": name,
        "search_name": fold(name),
        "parent_id": parent_id,
        "path": f"{above}{code}/",
    }


def officer(agency_id: UUID) -> Actor:
    """Return a registration officer of one agency."""
    return Actor(None, None, "officer", (Grant(Role.REGISTRATION_OFFICER, agency_id),))


def _address(found: City) -> str:
    return (found.settings.database_url or "").replace("+psycopg", "", 1)


if __name__ == "__main__":
    main()
