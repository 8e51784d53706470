"""How many entries of tablets' logs `web` takes a second in batches: signatures, chains, admissions, incidents.

    .venv/bin/python -m scripts.bench.sync [--quick]

Each tablet has been offline and sends its log in batches of a hundred; sent again, everything stays as it is.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from app.core import db
from app.gate.models import Admission, Scan
from pki.passes.lease import Policy
from scripts.bench.city import figure, is_quick, say
from scripts.bench.gate_load import batches_by_threads, congress, web

GATES: Final = 40
BATCH: Final = 100


def main() -> None:
    each = 300 if is_quick() else 2_500
    with congress(guests=GATES * each, gates=GATES, policy=Policy.LENIENT) as (settings, world):
        now = datetime.now(UTC)
        for tablet in world.tablets:
            tablet.lists_until = now + timedelta(days=1)
            tablet.boot(now)
        for one in world.passes:
            world.tablets[one.gate].scan(one.digits, now, policy=Policy.LENIENT)
        say("logs written")
        bodies = [(tablet.token, _batches(tablet.batch(most=each + 1))) for tablet in world.tablets]
        with web(settings) as port:
            seconds, taken = batches_by_threads(port, bodies)
            before = _counts()
            again, _ = batches_by_threads(port, bodies[:4])
            after = _counts()
    figure("sync.rate", taken / seconds, "1/s")
    figure("sync.repeated_s", again, "s")
    figure("sync.lost", GATES * (each + 1) - before[1], "entries")
    if before != after or before != (GATES * each, GATES * (each + 1)):
        raise SystemExit(f"the books say {before}, then {after}")


def _batches(entries: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps({"events": entries[at : at + BATCH]}).encode() for at in range(0, len(entries), BATCH)]


def _counts() -> tuple[int, int]:
    with db.transaction() as session:
        admissions, scans = (session.scalar(select(func.count()).select_from(one)) or 0 for one in (Admission, Scan))
    return admissions, scans


if __name__ == "__main__":
    main()
