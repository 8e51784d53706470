"""The processes that work off a run (`app.archive_process`): one for each core, started by a job of `worker`."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from app.core.logs import log
from app.core.settings import Settings


class RunFailed(RuntimeError):
    """A process ended before the work did; what it had taken is taken again after its lease."""


def work_off(settings: Settings, run_id: UUID, *, processes: int | None = None) -> bool:
    """Work off a run with processes of our own and return when they have ended; False if others do so already."""
    with _only_one(settings) as alone:
        if not alone:
            return False
        # One more than there are cores: each waits for disks and for other programs now and then.
        count = processes or 1 + (os.cpu_count() or 1)
        command = [sys.executable, "-m", "app.archive_process", str(run_id)]
        environ = os.environ | {
            "KYVAO_DATABASE_URL": settings.database_url or "",
            "KYVAO_DATA": str(settings.data_dir),
            "KYVAO_STATUS_INTERNAL_URL": settings.status_internal_url,
        }
        children = [subprocess.Popen(command, env=environ) for _ in range(count)]  # noqa: S603  ourselves
        try:
            for child in children:
                child.wait()
        finally:
            for child in children:
                child.terminate()
        failed = sum(child.returncode != 0 for child in children)
        log.info("archive_run_worked_off", run_id=str(run_id), failed=failed)
        if failed:
            raise RunFailed(f"{failed} of {count} processes ended early")
        return True


def is_running(settings: Settings) -> bool:
    """Say whether processes on a machine with this data folder renew."""
    with _only_one(settings) as alone:
        return not alone


@contextmanager
def _only_one(settings: Settings) -> Iterator[bool]:
    folder = settings.data_dir / "archive"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
