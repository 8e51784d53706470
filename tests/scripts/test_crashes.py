"""A short rotation of `kill -9` at each named point; the long one is `python -m scripts.bench.crash`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts.bench.crash_scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_is_lost_or_doubled_when_a_process_is_killed_at_any_named_point() -> None:
    runs = str(len(SCENARIOS))
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench.crash", "--runs", runs],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    figures = dict(line.split()[:2] for line in done.stdout.splitlines() if line.startswith("crash."))
    assert done.returncode == 0, done.stderr
    assert (figures["crash.killed"], figures["crash.points"]) == (runs, runs)
    assert (figures["crash.lost"], figures["crash.doubled"]) == ("0", "0")
