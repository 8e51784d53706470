"""One of the processes that renew the archive: `python -m app.archive_process RUN`, started by a job of `worker`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import app.models  # noqa: F401  every table must be known before one is loaded
from app.archive.renewal import Renewer
from app.core import db
from app.core.logs import configure_logs
from app.core.settings import load
from app.core.timestamping import timestamper

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Work off the run named on the command line."""
    _end_with_parent()
    configure_logs("worker")
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    Renewer(settings, UUID(sys.argv[1]), timestamper(settings), lambda: datetime.now(UTC)).run()
    db.dispose()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it dies; it would go on alone otherwise."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
