"""How many scans a second `web` answers, and whether forty gates on one pass ever admit it twice.

    .venv/bin/python -m scripts.bench.scan [--quick]

The real endpoint on a durable PostgreSQL: tablet recognised, pass verified, admitted by one insert, scan recorded.
Every scan is sent once; of five thousand passes the first scan lets in and the following are told when and where.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Final

from sqlalchemy import func, select

from app.core import db
from app.gate.models import Admission
from scripts.bench.city import figure, is_quick, say
from scripts.bench.gate_load import Client, congress, scan_body, scans_by_wrk, web
from tests.factories.gate_world import Issued, World

GATES: Final = 40


def main() -> None:
    quick = is_quick()
    guests, seconds, prepared, rounds = (2_000, 6, 20_000, 25) if quick else (5_000, 20, 100_000, 1_000)
    with (
        congress(guests=guests + rounds, gates=GATES) as (settings, world),
        tempfile.TemporaryDirectory() as name,
        web(settings) as port,
    ):
        crowd = random.choices(world.passes[rounds:], k=prepared)  # noqa: S311  for a measurement
        requests = [(world.tablets[at % GATES], one.digits) for at, one in enumerate(crowd)]
        scans_by_wrk(port, Path(name), requests[:500], seconds=1)
        load = scans_by_wrk(port, Path(name), requests[500:], seconds=seconds)
        say(f"{GATES} gates on one pass, {rounds} rounds")
        wrong = _race(port, world, world.passes[:rounds])
    figure("scan.rate", load.rate, "1/s")
    figure("scan.p99_ms", load.p99_ms, "ms")
    figure("scan.errors", load.errors, "answers")
    figure("scan.race_rounds", rounds, "rounds")
    figure("scan.race_wrong", wrong, "rounds")
    if load.errors or wrong:
        raise SystemExit("a scan was refused, or a pass was not admitted exactly once")


def _race(port: int, world: World, passes: Sequence[Issued]) -> int:
    """Let every gate scan one pass in the same moment, for each pass; return how often not exactly one let in."""
    barrier = Barrier(GATES)

    def gate(number: int) -> list[bool]:
        client, tablet, said = Client(port), world.tablets[number], []
        for one in passes:
            barrier.wait(60)
            _, answer = client.post("/gate/scans", tablet.token, scan_body(one.digits))
            said.append(answer["outcome"] == "admit")
        return said

    with ThreadPoolExecutor(GATES) as pool:
        answers = list(pool.map(gate, range(GATES)))
    with db.transaction() as session:
        query = (
            select(func.count()).select_from(Admission).where(Admission.pass_id.in_([one.pass_id for one in passes]))
        )
        stored = session.scalar(query) or 0
    wrong = [each for each in zip(*answers, strict=True) if each.count(True) != 1]
    return len(wrong) + abs(stored - len(passes))


if __name__ == "__main__":
    main()
