"""Keeping the zygote: started when the first file comes, again when it died, one for each process of the house."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Final

from app.core.logs import log

_ROOT: Final = Path(__file__).parent.parent.parent
# Read-only system, no network, other processes out of sight; not `--die-with-parent`, which looks at the thread that
# started it, and threads of a server come and go: the zygote ends when our end of the socket closes.
_TEMPORARY: Final = "/tmp"  # noqa: S108
_BWRAP: Final = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", _TEMPORARY, "--unshare-all")


class Zygote:
    """The process that stands by. May be used by several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def stand_by(self) -> None:
        """Start it if it is not there; nobody waits until it is ready."""
        with self._lock:
            self._started()

    def hand_over(self, job: str, *handles: int) -> None:
        """Let a child be forked for `job` that holds copies of `handles`."""
        with self._lock:
            for _ in range(2):
                control = self._started()
                with contextlib.suppress(ConnectionError):
                    socket.send_fds(control, [job.encode()], list(handles))
                    return
                self._drop()
        log.error("sandbox_does_not_start", job=job)

    def _started(self) -> socket.socket:
        # A process that was forked from one of ours has the numbers of its parent's handles, not a zygote.
        if self._control is not None and self._owner == os.getpid():
            return self._control
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own module, our own interpreter
                [*around(), sys.executable, "-P", "-m", "app.documents.sandbox_zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Not the parent's: it holds the address of the database and the passphrase of the keys.
                env={"PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        self._control, self._owner = ours, os.getpid()
        return ours

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


@cache
def around() -> tuple[str, ...]:
    """Return the words that put the zygote into a namespace of its own, none where bubblewrap does not work."""
    program = shutil.which("bwrap")
    if program is None:
        return ()
    words = (program, *_BWRAP, *_shown(), *_hidden())
    tried = subprocess.run(  # noqa: S603  our own interpreter
        [*words, sys.executable, "-P", "-c", "import app.documents"],
        env={"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        check=False,
    )
    if tried.returncode != 0:
        log.warning("bubblewrap_does_not_work", why=tried.stderr[-200:].decode(errors="replace"))
        return ()
    return words


def _shown() -> tuple[str, ...]:
    """Return the words that bring back what lies below the emptied /tmp: this program may have been put there."""
    places = (_ROOT, Path(sys.prefix), Path(sys.base_prefix))
    return tuple(word for one in places if one.is_relative_to(_TEMPORARY) for word in ("--ro-bind", str(one), str(one)))


def _hidden() -> tuple[str, ...]:
    """Return the words that put an empty folder over the data of the house."""
    data = Path(os.environ.get("KYVAO_DATA") or "var").absolute()
    return ("--tmpfs", str(data)) if data.is_dir() else ()
