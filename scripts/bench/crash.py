"""`kill -9` at named points of issuing, campaigns, revoking, publishing and signing: what is lost, what is doubled.

    .venv/bin/python -m scripts.bench.crash [--quick] [--runs N] [--seed N]

Each run is a child process that works on a real, durable database and ends itself at the point, then a second one
that finds what the first left behind, then a count by a program that knows only the tables. `crash.recovery_s` is the
longest time until the work was done after all.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from time import monotonic

from app.core import db, failpoints
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.crash_scenarios import SCENARIOS as AUTHORITY
from scripts.bench.crash_scenarios import Damage, Scenario
from scripts.bench.crash_signing import SIGNING

_PATIENCE = 30.0
SCENARIOS = (*AUTHORITY, *SIGNING)


def main() -> None:
    runs = int(_word("--runs") or (30 if is_quick() else 1_008))
    seed = int(_word("--seed") or random.SystemRandom().randrange(2**32))
    say(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311  which point comes when
    total, killed, slowest = Damage(), Counter[str](), 0.0
    with city(wards=2) as made:
        for number in range(runs):
            scenario = SCENARIOS[number % len(SCENARIOS)]
            damage, died, took = _run(made, scenario, chance)
            total += damage
            killed[scenario.point] += died
            slowest = max(slowest, took)
            if damage:
                say(f"run {number}: {scenario.point}: {damage}")
    never = sorted(scenario.point for scenario in SCENARIOS if not killed[scenario.point])
    if never and runs >= len(SCENARIOS):
        raise SystemExit(f"never reached: {', '.join(never)}")
    figure("crash.runs", runs, "runs")
    figure("crash.killed", sum(killed.values()), "runs")
    figure("crash.points", len(killed), "points")
    figure("crash.lost", total.lost, "acts")
    figure("crash.doubled", total.doubled, "acts")
    figure("crash.recovery_s", slowest, "s")
    if total:
        raise SystemExit(1)


def _run(city_: City, scenario: Scenario, chance: random.Random) -> tuple[Damage, bool, float]:
    """Return the damage of one run, whether the first child died at its point, and how long the recovery took."""
    prepared = scenario.arrange(city_)
    times = chance.randint(1, scenario.most)
    # A child is a fork of this process: no connection may be shared.
    db.dispose()
    died = _child(lambda: scenario.act(city_, prepared), f"{scenario.point}:kill:{times}", city_) == -signal.SIGKILL
    started = monotonic()
    if _child(lambda: scenario.recover(city_, prepared), "", city_) != 0:
        return Damage(lost=1), died, monotonic() - started
    return scenario.count(city_, prepared), died, monotonic() - started


def _child(act: Callable[[], None], order: str, city_: City) -> int:
    child = os.fork()
    if child == 0:
        signal.alarm(int(_PATIENCE))
        db.configure(city_.settings.database_url or "")
        failpoints.arm(order)
        try:
            act()
        except BaseException as error:  # noqa: BLE001  the edge of a process
            say(f"{order or 'recovery'}: {type(error).__name__}: {error}")
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _word(option: str) -> str | None:
    return sys.argv[sys.argv.index(option) + 1] if option in sys.argv else None


if __name__ == "__main__":
    main()
