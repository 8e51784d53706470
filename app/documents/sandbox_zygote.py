"""The process that stands by with every library imported, and the child that it forks for each job.

What holds a child, outermost first: bubblewrap where it is installed (`sandbox_process`); no network, where the system
lets us leave it; Landlock, where the kernel has it: libraries may be read, and nothing written but the output; limits
of time, memory and size always; no environment. It runs in one thread, so forking is safe.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import socket
import sys
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from typing import IO, Final, cast

import pikepdf

from app.documents import landlock
from app.documents.no_network import leave_network
from app.documents.sandbox_frame import CPU_SECONDS, LENGTH, MEMORY_BYTES, OUTPUT_BYTES, Facts, Job, pack, unpack
from pki.chains import TrustStore
from pki.errors import PdfRefused
from pki.pades.appearance import Mark
from pki.pades.intake import normalise
from pki.pades.placement import Placement
from pki.pades.prepare import prepare
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence

_LONGEST_NAME: Final = 200


def warm() -> None:
    """Do once what every child would do for its first file: read the fonts, fill the libraries' caches."""
    blank = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.save(blank)
    content = normalise(blank.getvalue())
    place = Placement(1, (10.0, 10.0, 200.0, 70.0))
    # Any time will do.
    now = datetime(2026, 1, 1, tzinfo=UTC)
    prepare(BytesIO(content), certificate_der=b"", now=now, mark=Mark(("Ký bởi", "Ký Vào")), placement=place)
    verify(content, trust=TrustStore(()), evidence=StatusEvidence(()), now=now)


def serve(control: socket.socket) -> None:
    """Fork for each job that is handed over, until the other end is closed."""
    # Children are not waited for: the parent has a handle on each.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    while True:
        name, handles, _, _ = socket.recv_fds(control, _LONGEST_NAME, 3)
        if not name:
            return
        answer, source, output = handles
        # A library of a job that is met for the first time is imported for all that follow.
        with contextlib.suppress(Exception):
            _job(name.decode())
        child = os.fork()
        if child == 0:
            control.close()
            _work(name.decode(), socket.socket(fileno=answer), source, output)
        with socket.socket(fileno=answer) as ours, contextlib.suppress(OSError):
            pidfd = os.pidfd_open(child)
            socket.send_fds(ours, [b"\x01"], [pidfd])
            os.close(pidfd)
        os.close(source)
        os.close(output)


def _work(name: str, answer: socket.socket, source: int, output: int) -> None:
    """Do one job and end this process."""
    try:
        landlock.restrict()
        limit()
        facts = unpack(_receive(answer))
        with os.fdopen(source, "rb") as opened, os.fdopen(output, "r+b") as made:
            opened.seek(0)
            found = _judged(_job(name), facts, opened, made)
        answer.sendall(pack(found))
    finally:
        os._exit(0)


def _judged(job: Job, facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    try:
        return job(facts, source, output)
    except PdfRefused as error:
        return {"refused": error.fault.value}
    except BaseException as error:  # noqa: BLE001  the edge of the process: the house learns the kind, never the text
        return {"failed": type(error).__name__}


def _job(name: str) -> Job:
    module, _, function = name.partition(":")
    return cast(Job, getattr(import_module(module), function))


def _receive(answer: socket.socket) -> bytes:
    head = _exactly(answer, LENGTH.size)
    return head + _exactly(answer, LENGTH.unpack(head)[0])


def _exactly(answer: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        piece = answer.recv(size - len(content))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def limit() -> None:
    """Bound what this process may take."""
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    leave_network()
    warm()
    serve(socket.socket(fileno=int(sys.argv[1])))
