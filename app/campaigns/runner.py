"""The processes that work off a campaign: one for each core, started by a job of `worker` and ended with it.

`python -m app.campaigns.runner CAMPAIGN` is such a process; it can load issuing keys, as `worker` can.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import app.models  # noqa: F401  every table must be known before one is loaded
from app.campaigns.engine import Engine
from app.core import db
from app.core.logs import configure_logs, log
from app.core.settings import Settings, load

_PR_SET_PDEATHSIG: Final = 1


class RunFailed(RuntimeError):
    """A process ended before the work did; what it had begun is taken up by the next run."""


def work_off(settings: Settings, campaign_id: UUID, *, processes: int | None = None) -> bool:
    """Work off a campaign with processes of our own and return when they have ended; False if others do so already.

    They commit batch by batch: paused, stopped or killed, nothing is lost.
    """
    with _only_one(settings, campaign_id) as alone:
        if not alone:
            return False
        count = processes or max(1, os.cpu_count() or 1)
        command = [sys.executable, "-m", "app.campaigns.runner", str(campaign_id)]
        children = [subprocess.Popen(command, env=_environ(settings)) for _ in range(count)]  # noqa: S603  ourselves
        try:
            for child in children:
                child.wait()
        finally:
            for child in children:
                child.terminate()
        failed = sum(child.returncode != 0 for child in children)
        log.info("campaign_worked_off", campaign=str(campaign_id), failed=failed)
        if failed:
            raise RunFailed(f"{failed} of {count} processes ended early")
        return True


def is_running(settings: Settings, campaign_id: UUID) -> bool:
    """Say whether processes on a machine with this data folder work on the campaign."""
    with _only_one(settings, campaign_id) as alone:
        return not alone


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


@contextmanager
def _only_one(settings: Settings, campaign_id: UUID) -> Iterator[bool]:
    folder = settings.data_dir / "campaigns" / str(campaign_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(handle)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _environ(settings: Settings) -> dict[str, str]:
    return os.environ | {"KYVAO_DATABASE_URL": settings.database_url or "", "KYVAO_DATA": str(settings.data_dir)}


if __name__ == "__main__":
    main()
