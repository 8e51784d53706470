"""The `worker` process: runs the jobs of every capability. It alone can load an issuing key."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final

from procrastinate import PsycopgConnector
from sqlalchemy import make_url

import app.models  # noqa: F401  every table must be known before a task loads one
from app.core import db
from app.core.logs import configure_logs, log
from app.core.queue import jobs
from app.core.queue_care import HEARTBEAT, SILENCE
from app.core.settings import Settings, load

# Capabilities with a `tasks.py`; importing it registers its tasks.
TASKS: Final[tuple[str, ...]] = (
    "alarms",
    "approvals",
    "archive",
    "campaigns",
    "certificates",
    "claims",
    "gate",
    "interface",
    "meetings",
    "notices",
    "reception",
    "records",
    "routes",
    "seals",
    "status",
    "trust",
    "verification",
)


def register_tasks() -> None:
    """Import every capability's tasks, which registers them."""
    for name in TASKS:
        import_module(f"app.{name}.tasks")


def connector(settings: Settings) -> PsycopgConnector:
    """Return the way to the job tables in the database of `settings`."""
    url = make_url(settings.database_url or "").set(drivername="postgresql")
    return PsycopgConnector(conninfo=url.render_as_string(hide_password=False))


def main() -> None:
    """Run jobs until told to stop; a job under way is finished first."""
    configure_logs("worker")
    settings = load(os.environ)
    db.configure(settings.database_url or "")
    register_tasks()
    log.info("worker_started")
    # The same application, not a copy: periodic tasks defer themselves through the one they were registered with.
    with jobs.replace_connector(connector(settings)) as application:
        application.run_worker(
            # Jobs that wait for processes of their own (campaigns) must not keep lists and mail waiting.
            concurrency=4,
            name="worker",
            shutdown_graceful_timeout=30,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=SILENCE,
            # Rounds of a few seconds would fill the table; what went wrong is kept.
            delete_jobs="successful",
        )


if __name__ == "__main__":
    main()
