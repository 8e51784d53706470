"""The processes that work off a campaign (`app.campaign_process`): one for each core, started by a job of `worker`."""

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
    """A process ended before the work did; what it had begun is taken up by the next run."""


def work_off(settings: Settings, campaign_id: UUID, *, processes: int | None = None) -> bool:
    """Work off a campaign with processes of our own and return when they have ended; False if others do so already.

    They commit batch by batch: paused, stopped or killed, nothing is lost.
    """
    with _only_one(settings, campaign_id) as alone:
        if not alone:
            return False
        count = processes or max(1, os.cpu_count() or 1)
        command = [sys.executable, "-m", "app.campaign_process", str(campaign_id)]
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
