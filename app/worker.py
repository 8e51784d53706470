"""The `worker` process: runs the jobs of every capability. It alone can load an issuing key."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final

import procrastinate
from procrastinate import PsycopgConnector
from sqlalchemy import make_url

import app.models  # noqa: F401  every table must be known before a task loads one
from app.core import db
from app.core.logs import configure_logs, log
from app.core.queue import jobs
from app.core.settings import Settings, load

# Capabilities with a `tasks.py`; importing it registers its tasks.
TASKS: Final[tuple[str, ...]] = ("certificates", "gate", "meetings", "notices")


def connected(settings: Settings) -> procrastinate.App:
    """Return the job application bound to the database of `settings`, with every task registered."""
    for name in TASKS:
        import_module(f"app.{name}.tasks")
    conninfo = make_url(settings.database_url or "").set(drivername="postgresql").render_as_string(hide_password=False)
    return jobs.with_connector(PsycopgConnector(conninfo=conninfo))


def main() -> None:
    """Run jobs until told to stop; a job under way is finished first."""
    configure_logs("worker")
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    log.info("worker_started")
    connected(settings).run_worker(concurrency=2, name="worker", shutdown_graceful_timeout=30)


if __name__ == "__main__":
    main()
