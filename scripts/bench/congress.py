"""A congress of 5,000 guests at 40 gates: tablets offline, one stolen, one restored, the server killed twice.

    .venv/bin/python -m scripts.bench.congress [--quick]

Every tablet runs the rule of pki.passes.admission over its leases and log, the server is the real `web` on a durable
PostgreSQL. One guest in ten has given a copy of the pass to somebody who tries another gate, one in twenty goes to a
wrong gate first. Who really went in is counted at the gates, by nobody's books, and held against them at the end.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from app.core import db
from app.gate.models import Admission, Scan
from app.gate.models_leases import Incident, IncidentKind
from pki.passes.lease import Policy
from scripts.bench.city import figure, is_quick, say
from scripts.bench.congress_day import Day, Entered
from scripts.bench.gate_load import congress

GATES = 40


def main() -> None:
    guests = 300 if is_quick() else 5_000
    with congress(guests=guests, gates=GATES, policy=None) as (settings, world):
        day = Day(settings, world, random.Random(11))  # noqa: S311  who comes when
        entered = day.run()
        by_pass: dict[UUID, list[Entered]] = defaultdict(list)
        for one in entered:
            by_pass[one.issued.pass_id].append(one)
        strict = sum(len(many) - 1 for many in by_pass.values() if many[0].issued.policy is Policy.STRICT)
        doubles = [many for many in by_pass.values() if len(many) > 1]
        unreported = _unreported(doubles)
        lost = _lost(entered)
    outside = guests - len(by_pass)
    say(f"{len(entered)} went in, {len(doubles)} passes twice or more, {day.kills} kills, {day.overrides} overrides")
    figure("congress.guests", guests, "guests")
    figure("congress.not_admitted", outside, "guests")
    figure("congress.doubles_strict", strict, "passes")
    figure("congress.doubles_lenient", sum(len(many) - 1 for many in doubles) - strict, "entries")
    figure("congress.unreported", unreported, "entries")
    figure("congress.lost", lost, "entries")
    figure("congress.overrides", day.overrides, "entries")
    figure("congress.seconds", day.seconds, "s")
    if strict or unreported or lost or outside or day.kills != 2:
        raise SystemExit("a guest was admitted twice or not at all, or something was lost")


def _unreported(doubles: Sequence[Sequence[Entered]]) -> int:
    """Return how many further entries of a pass no incident tells of, of those whose log reached the server."""
    with db.transaction() as session:
        query = select(Incident.pass_id, Incident.scan_id).where(Incident.kind == IncidentKind.DOUBLE_ENTRY)
        told: Mapping[UUID, set[UUID]] = defaultdict(set)
        for pass_id, scan_id in session.execute(query):
            if pass_id is not None:
                told[pass_id].add(scan_id)
    missing = 0
    for many in doubles:
        heard = [one for one in many if one.heard]
        missing += max(0, len(heard) - 1 - len(told[many[0].issued.pass_id] & {one.scan_id for one in heard}))
    return missing


def _lost(entered: Sequence[Entered]) -> int:
    """Return how many entries at gates whose log reached the server are not in the books."""
    with db.transaction() as session:
        scans = set(session.scalars(select(Scan.id)))
        admissions = set(session.scalars(select(Admission.pass_id)))
    return sum(one.heard and (one.scan_id not in scans or one.issued.pass_id not in admissions) for one in entered)


if __name__ == "__main__":
    main()
