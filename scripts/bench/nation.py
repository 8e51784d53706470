"""A nation's gates: a thousand scans a second from ten thousand tablets for ten minutes, and nobody twice.

    .venv/bin/python -m scripts.bench.nation [--quick]

Every tenth scan is of a pass that somebody else shows at another gate. What the gates were told to let in is counted
at the gates and held against the books.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import select

from app.core import db
from app.gate.models import Admission
from scripts.bench.city import figure, is_quick, say
from scripts.bench.gate_load import Client, congress, scan_body, web
from tests.factories.gate_world import Issued, World

RATE: Final = 1_000
_THREADS: Final = 16
_COPIES: Final = 0.1


def main() -> None:
    gates, seconds = (1_000, 12) if is_quick() else (10_000, 600)
    scans = RATE * seconds
    with congress(guests=int(scans * (1 - _COPIES)), gates=gates) as (settings, world):
        chance = random.Random(7)  # noqa: S311  which pass is copied
        crowd = [*world.passes, *chance.choices(world.passes, k=scans - len(world.passes))]
        chance.shuffle(crowd)
        with web(settings) as port:
            begun = time.perf_counter()
            with ThreadPoolExecutor(_THREADS) as pool:
                parts = list(pool.map(lambda n: _gates(port, world, crowd[n::_THREADS], n), range(_THREADS)))
            took = time.perf_counter() - begun
        with db.transaction() as session:
            stored = set(session.scalars(select(Admission.pass_id)))
    admitted = sum((part[0] for part in parts), Counter[int]())
    slowest = sorted(delay for part in parts for delay in part[1])
    say(f"{scans} scans in {took:.1f} s, {len(stored)} admitted")
    figure("nation.rate", scans / took, "1/s")
    figure("nation.p99_ms", slowest[int(len(slowest) * 0.99)] * 1000, "ms")
    figure("nation.doubles", sum(count - 1 for count in admitted.values()), "passes")
    figure("nation.lost", len(world.passes) - len(stored), "passes")
    if max(admitted.values()) != 1 or len(stored) != len(world.passes) or len(admitted) != len(stored):
        raise SystemExit("a pass was let in twice, or not at all")


def _gates(port: int, world: World, crowd: Sequence[Issued], seed: int) -> tuple[Counter[int], list[float]]:
    """Send scans from gates at random, not faster than this thread's share; count what was let in, by pass."""
    chance = random.Random(seed)  # noqa: S311  which gate is next
    client, let_in, delays = Client(port), Counter[int](), []
    begun = time.perf_counter()
    for number, one in enumerate(crowd):
        ahead = begun + number * _THREADS / RATE - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
        sent = time.perf_counter()
        status, said = client.post("/gate/scans", chance.choice(world.tablets).token, scan_body(one.digits))
        delays.append(time.perf_counter() - sent)
        if status != 200:
            raise SystemExit(f"a scan was refused: {status}")
        let_in[one.status_index] += said["outcome"] == "admit"
    return +let_in, delays


if __name__ == "__main__":
    main()
