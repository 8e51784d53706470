"""What hostile code in a parser might try inside the limited process."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import IO

from app.documents.sandbox_frame import OUTPUT_BYTES, Facts
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault


def echo(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    output.write(source.read())
    return facts


def seek(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    source.seek(facts["at"])
    output.write(source.read(1))
    return {"size": source.seek(0, os.SEEK_END)}


def take_memory(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    return {"size": len(bytes(2 * 1024**3))}


def die(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    os.kill(os.getpid(), signal.SIGSEGV)
    return facts


def throw(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    raise RecursionError


def leave(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    raise SystemExit(0)


def write_much(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    for _ in range(OUTPUT_BYTES // 2**20 + 1):
        output.write(bytes(2**20))
    output.flush()
    return facts


def spin(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    while True:
        facts = dict(facts)


def refuse(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    raise PdfRefused(PdfFault.ENCRYPTED)


def write_file(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    try:
        Path(facts["path"]).write_bytes(b"x")
    except OSError as error:
        return {"error": type(error).__name__}
    return {"error": None}


def read_file(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    try:
        return {"content": Path(facts["path"]).read_text()}
    except OSError as error:
        return {"error": type(error).__name__}


def call_home(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    try:
        socket.create_connection(("127.0.0.1", facts["port"]), timeout=5)
    except OSError as error:
        return {"error": type(error).__name__}
    return {"error": None}


def environment(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    return {"names": sorted(os.environ)}


def kill_parent(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """End the process that stands by, as a fault in the kernel's memory killer might."""
    os.kill(os.getppid(), signal.SIGKILL)
    return facts


def write_over_answer(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write into every handle there is, the answer's among them."""
    for handle in range(3, 64):
        try:
            os.write(handle, b"\x00\x00\x00\x01not an answer")
        except OSError:
            continue
    return facts
