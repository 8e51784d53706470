"""Named points at which a test ends the process, to show that nothing is lost or done twice when it dies there.

Nothing happens unless KYVAO_FAILPOINT names the point: `issue.signed:kill`, or `issue.signed:kill:3` for the third
time it is reached. Production refuses to start with it.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "KYVAO_FAILPOINT"


@dataclass
class _Order:
    """At which point to end, and how often it must still be reached; no name is never."""

    name: str = ""
    left: int = 1


_order = _Order()


def reach(name: str) -> None:
    """Say that the point `name` is reached; the process ends here, as by `kill -9`, if that is what was asked for."""
    # Passed thousands of times a second, so the common case is one comparison.
    if _order.name != name:
        return
    _order.left -= 1
    if _order.left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def arm(order: str) -> None:
    """Take an order such as `issue.signed:kill:3`; an empty one disarms. Called with KYVAO_FAILPOINT at import."""
    name, _, rest = order.partition(":")
    action, _, number = rest.partition(":")
    _order.name = name if action == "kill" else ""
    _order.left = int(number or 1)


arm(os.environ.get(VARIABLE, ""))
