"""The limited process itself: limits first, then the job on what stands on standard input, the answer on output."""

from __future__ import annotations

import resource
import sys
from importlib import import_module
from typing import cast

from app.documents.sandbox_frame import CPU_SECONDS, MEMORY_BYTES, Facts, Job, pack, unpack
from pki.errors import PdfRefused


def limit() -> None:
    """Bound what this process may take; set here, since code between fork and exec is not safe among threads."""
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        # Not one byte to any file; pipes are not files.
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (most, most))


def main(name: str) -> None:
    limit()
    module, _, function = name.partition(":")
    job = cast(Job, getattr(import_module(module), function))
    facts, pdf = unpack(sys.stdin.buffer.read())
    answer: Facts
    try:
        answer, content = job(facts, pdf)
    except PdfRefused as error:
        answer, content = {"refused": error.fault.value}, b""
    sys.stdout.buffer.write(pack(answer, content))


if __name__ == "__main__":
    main(sys.argv[1])
