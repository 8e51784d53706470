"""One of the processes that work off a campaign: `python -m app.campaign_process CAMPAIGN`.

Started by a job of `worker` (app.campaigns.runner) and ended with it. It can load issuing keys, as `worker` can.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from typing import Final
from uuid import UUID

import app.models  # noqa: F401  every table must be known before one is loaded
from app.campaigns.engine import Engine
from app.core import db
from app.core.logs import configure_logs
from app.core.settings import load

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Work off the campaign named on the command line."""
    _end_with_parent()
    configure_logs("worker")
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    # A batch makes a hundred thousand objects that live as long as the batch: looking through them for cycles costs a
    # tenth of the time and finds nothing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    Engine(settings, UUID(sys.argv[1])).run()
    db.dispose()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it dies; it would go on alone otherwise."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
