"""The child processes of `kyvao run`: started, watched, started again when they die, stopped in order.

Each leads a session of its own, so that Ctrl-C reaches only the supervisor, which then stops them in the right order.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

LONGEST_LOG: Final = 10_000_000
FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 30.0
# A process that has lived this long is taken to be well: its next death starts with a short delay again.
WELL_AFTER: Final = 60.0
_STATUS_THREADS: Final = 16


@dataclass(frozen=True)
class Plan:
    """How to start a process, and how long it may take to finish what it is doing when told to stop."""

    name: str
    command: Sequence[str]
    patience: float
    # How long after its first death it is started again; doubled at each further one.
    first_delay: float = FIRST_DELAY


class Watched:
    """One child process and its log."""

    def __init__(self, plan: Plan, environ: Mapping[str, str], logs: Path, tell: Callable[[str], None]) -> None:
        self.plan = plan
        self._environ = environ
        self.log = logs / f"{plan.name}.log"
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = self.plan.first_delay
        self._due: float | None = None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._started, self._due = monotonic(), None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own programs
                [*_dies_with_us(), *self.plan.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self._environ),
                start_new_session=True,
            )

    def watch(self) -> None:
        """Notice a death and say so; start again when its delay is over."""
        if self.is_alive or self._process is None:
            return
        now = monotonic()
        if self._due is None:
            if now - self._started > WELL_AFTER:
                self._delay = self.plan.first_delay
            self._due = now + self._delay
            self._tell(f"{self.plan.name} ended ({self._ending()}); starting it again in {self._delay:.0f} s.")
            self._tell(self.last_lines(5))
            self._delay = min(self._delay * 2, LONGEST_DELAY)
            self._end_group()
        elif now >= self._due:
            self.start()

    def stop(self) -> None:
        """Let it finish what it is doing, then make sure that nothing of it is left."""
        if self._process is None:
            return
        if self.is_alive:
            self._process.terminate()
            try:
                self._process.wait(self.plan.patience)
            except subprocess.TimeoutExpired:
                self._tell(f"{self.plan.name} did not finish in {self.plan.patience:.0f} s and was ended.")
        self._end_group()
        self._process.wait()

    def last_lines(self, count: int) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {self.plan.name}: {line}" for line in lines[-count:])

    def _ending(self) -> str:
        code = self._process.returncode if self._process else 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"

    def _end_group(self) -> None:
        # A server's own workers must not outlive it and hold its port.
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def plans(*, bind: str, web_port: int, status_port: int) -> list[Plan]:
    """Return the processes in the order in which they stop: no new requests first, then the jobs."""
    processes = max(1, min(4, os.cpu_count() or 1))
    return [
        # Threads of web mostly wait for the database, so there are more of them than cores.
        Plan("web", _granian("app.wsgi:application", bind, web_port, processes, min(8, 2 * processes + 1)), 15),
        # Its answers wait for nothing; the threads are for clients that are slow to send, and for a slow database.
        Plan("status", _granian("app.status_wsgi:application", bind, status_port, processes, _STATUS_THREADS), 15),
        # Makes the stored answers; what it has begun is made again at the next start.
        Plan("status_answers", [sys.executable, "-m", "app.status_answers"], 5),
        # A job under way has 30 s (app/worker.py); one that is cut off is run again at the next start.
        Plan("worker", [sys.executable, "-m", "app.worker"], 35),
    ]


def _granian(target: str, bind: str, port: int, processes: int, threads: int) -> list[str]:
    options = {"--interface": "wsgi", "--host": bind, "--port": str(port), "--workers": str(processes)}
    options |= {"--blocking-threads": str(threads), "--backlog": "1024", "--log-level": "warning"}
    # A worker told to stop while it is still starting does not hear it; granian then ends it after this many seconds.
    options |= {"--workers-kill-timeout": "10"}
    words = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "granian", *words, "--no-ws", "--respawn-failed-workers", target]


def _dies_with_us() -> list[str]:
    """Return the words before a command that end it when we are killed; it would hold its port for ever."""
    program = shutil.which("setpriv", path="/usr/bin:/bin")
    return [program, "--pdeathsig", "TERM", "--"] if program else []
