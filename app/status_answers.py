"""The process that keeps the files of stored OCSP answers; part of `status`, it holds the OCSP keys and no other."""

from __future__ import annotations

import os
import signal
import threading

import app.models  # noqa: F401  every table must be known before one is loaded
from app.core import db
from app.core.logs import configure_logs
from app.core.settings import load
from app.status.keeper import Keeper


def main() -> None:
    """Keep the files until told to stop; the answers of the workers come first, so this runs with a lower claim."""
    configure_logs("status_answers")
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    os.nice(10)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    Keeper(settings).run(stopping)


if __name__ == "__main__":
    main()
