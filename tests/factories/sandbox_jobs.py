"""What hostile code in a parser might try inside the limited process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from app.documents.sandbox_frame import Facts
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault


def echo(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    return facts, pdf


def take_memory(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    return facts, bytes(2 * 1024**3)


def die(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return facts, pdf


def throw(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    raise RecursionError


def refuse(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    raise PdfRefused(PdfFault.ENCRYPTED)


def write_file(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        Path(facts["path"]).write_bytes(b"x")
    except OSError:
        return {"written": False}, b""
    return {"written": True}, b""


def environment(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    return {"names": sorted(os.environ)}, b""


def chatter(facts: Facts, pdf: bytes) -> tuple[Facts, bytes]:
    """Print over the answer, as a library that prints would."""
    os.write(1, b"\x00\x00\x00\x01not an answer")
    return facts, pdf
