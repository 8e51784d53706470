"""Named points at which a test ends the process, to show that nothing is lost or done twice when it dies there.

Nothing happens unless KYVAO_FAILPOINT names the point: `issue.signed:kill`, or `issue.signed:kill:3` for the third
time it is reached. Production refuses to start with it.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import Final

VARIABLE: Final = "KYVAO_FAILPOINT"
# Read once: a point is passed thousands of times a second.
_ARMED: Final = os.environ.get(VARIABLE, "")
_passes: Final = count(1)


def reach(name: str) -> None:
    """Say that the point `name` is reached; the process ends here, as by `kill -9`, if that is what was asked for."""
    if not _ARMED:
        return
    wanted, action, number = (*_ARMED.split(":"), "1")[:3]
    if wanted == name and action == "kill" and next(_passes) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
