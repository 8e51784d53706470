"""Jobs: inserted in the transaction of the data they belong to, run by `worker` through Procrastinate.

A service calls `enqueue` with the name of a task; the task itself lives in the capability's `tasks.py` and takes
identifiers only, never personal data or secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import procrastinate
from procrastinate import PsycopgConnector, RetryStrategy
from sqlalchemy import text
from sqlalchemy.orm import Session

# Eight attempts over about ten minutes: long enough for a restart of the timestamp service or the mail server.
RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)

jobs = procrastinate.App(connector=PsycopgConnector())

_JOB = (
    "CAST(ROW('default', CAST(:task AS varchar), 0, CAST(:lock AS text), CAST(:queueing_lock AS text),"
    " CAST(:args AS jsonb), CAST(:at AS timestamptz)) AS procrastinate_job_to_defer_v1)"
)
_DEFER = text(f"SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[{_JOB}]))")
# Says whether it was inserted; a savepoint of ours would be two more round trips.
_DEFER_ONCE = text(f"SELECT defer_once({_JOB})")


def enqueue(
    session: Session,
    task: str,
    arguments: Mapping[str, str | int],
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    not_before: datetime | None = None,
) -> None:
    """Insert a job for `task` in the session's transaction; it exists exactly if that transaction commits.

    Jobs with the same `lock` run one after the other. A second waiting job with the same `queueing_lock` is not
    inserted: the one already waiting will see the new state.
    """
    row = {
        "task": task,
        "lock": lock,
        "queueing_lock": queueing_lock,
        "args": json.dumps(dict(arguments)),
        "at": not_before,
    }
    session.execute(_DEFER if queueing_lock is None else _DEFER_ONCE, row)
