"""Failpoints end a process where they are told to, and only there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

_WALK = """
from app.core.failpoints import reach
for name in ("a", "b", "b", "c"):
    reach(name)
    print(name, flush=True)
"""


@pytest.mark.parametrize(
    ("armed", "walked", "code"),
    [
        ("", "abbc", 0),
        ("b:kill", "a", -signal.SIGKILL),
        ("b:kill:2", "ab", -signal.SIGKILL),
        ("b:kill:3", "abbc", 0),
        ("other:kill", "abbc", 0),
    ],
)
def test_a_process_ends_at_the_point_that_was_named(armed: str, walked: str, code: int) -> None:
    environ = os.environ | {"KYVAO_FAILPOINT": armed}
    done = subprocess.run([sys.executable, "-c", _WALK], capture_output=True, env=environ, check=False)
    assert done.returncode == code
    assert done.stdout.decode().split() == list(walked)
