"""The limited process in which PDFs from outside are opened: little time, little memory, no secrets, no files.

A job is a top-level function `(facts, source, output) -> facts` of plain JSON values and two open files, in a module
that imports nothing but `pki`: it reads `source` (seekable) and may write what it makes into `output`.

    facts, output = sandbox.run(job, {"page": 1}, path_or_bytes)
    with output:
        made = output.read()

One process with the libraries already imported (`sandbox_zygote`) stands by for each process of the house and forks for
each job. Nothing that a child sends back is unpickled: it has read what a stranger wrote.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from app.core.logs import log
from app.documents.places import Places
from app.documents.sandbox_frame import Facts, Job, pack, unpack
from app.documents.sandbox_process import Zygote
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

_WALL_SECONDS: Final = 60
# Facts only; what is large is written into the output.
_LARGEST_ANSWER: Final = 64 * 1024**2
_PIECE: Final = 1 << 16
# More at a time than there are cores would only make each slower, and memory is bounded by this times the limit.
_AT_ONCE: Final = max(2, os.cpu_count() or 1)

_places = Places(_AT_ONCE)
_zygote = Zygote()


def stand_by() -> None:
    """Let the process that forks be ready before the first file comes: it takes a second to load its libraries."""
    _zygote.stand_by()


def run(job: Job, facts: Facts, source: bytes | Path | IO[bytes]) -> tuple[dict[str, Any], IO[bytes]]:
    """Return the facts that `job` returns in a process of its own, and what it wrote, as a file that has no name.

    The caller closes the file. Raises PdfRefused with the job's fault, PdfRefused(TOO_COMPLEX) when the process went
    over a limit or died, and Unavailable when too many files wait already.
    """
    name = f"{job.__module__}:{job.__qualname__}"
    output = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        with _places.one(patience=_WALL_SECONDS), _opened(source) as opened:
            answer = _call(name, pack(facts), opened, output.fileno())
        if answer is None:
            raise PdfRefused(PdfFault.TOO_COMPLEX)
        if "refused" in answer:
            raise PdfRefused(PdfFault(answer["refused"]))
        if "failed" in answer:
            log.warning("sandbox_ended", job=name, why=answer["failed"])
            raise PdfRefused(PdfFault.TOO_COMPLEX)
    except BaseException:
        output.close()
        raise
    output.seek(0)
    return answer, output


def _call(name: str, frame: bytes, source: int, output: int) -> dict[str, Any] | None:
    ends_at = time.monotonic() + _WALL_SECONDS
    # A zygote that died before it forked has done nothing: the next one is asked, once.
    for _ in range(2):
        ours, childs = socket.socketpair()
        with closing(ours):
            with closing(childs):
                _zygote.hand_over(name, childs.fileno(), source, output)
            try:
                pidfd = _pidfd(ours, ends_at)
                if pidfd is None:
                    continue
                return _converse(name, ours, frame, pidfd, ends_at)
            except TimeoutError:
                log.warning("sandbox_ended", job=name, why="time")
                return None
    log.error("sandbox_does_not_start", job=name)
    return None


def _pidfd(ours: socket.socket, ends_at: float) -> int | None:
    """Return a handle on the child that was forked for us, None if none was."""
    _wait_at_most(ours, ends_at)
    try:
        _, handles, _, _ = socket.recv_fds(ours, 1, 1)
    except ConnectionError:
        return None
    return handles[0] if handles else None


def _converse(name: str, ours: socket.socket, frame: bytes, pidfd: int, ends_at: float) -> dict[str, Any] | None:
    """Send the facts and read the answer; whatever happens, the child has ended afterwards."""
    try:
        _wait_at_most(ours, ends_at)
        ours.sendall(frame)
        content = bytearray()
        while True:
            _wait_at_most(ours, ends_at)
            piece = ours.recv(_PIECE)
            if not piece:
                break
            content += piece
            if len(content) > _LARGEST_ANSWER:
                log.warning("sandbox_ended", job=name, why="answer")
                return None
        return unpack(bytes(content))
    except (ConnectionError, ValueError):
        log.warning("sandbox_ended", job=name, why="limit or crash")
        return None
    finally:
        _end(pidfd)


def _wait_at_most(ours: socket.socket, ends_at: float) -> None:
    """Let the next call on the socket end by then. Raises TimeoutError when it is too late already."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    ours.settimeout(left)


def _end(pidfd: int) -> None:
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(pidfd)


@contextmanager
def _opened(source: bytes | Path | IO[bytes]) -> Iterator[int]:
    """Give a handle on the bytes, for reading; of a file that is open already, one more."""
    if isinstance(source, Path):
        handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    elif not isinstance(source, bytes):
        source.flush()
        handle = os.dup(source.fileno())
    else:
        handle = os.memfd_create("source", os.MFD_CLOEXEC)
        view = memoryview(source)
        while view:
            view = view[os.write(handle, view) :]
    try:
        yield handle
    finally:
        os.close(handle)
