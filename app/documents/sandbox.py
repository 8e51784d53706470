"""The limited process in which PDFs from outside are opened: little time, little memory, no secrets, no files.

A job is a top-level function `(facts, pdf) -> (facts, pdf)` of plain JSON values and bytes, in a module that imports
nothing but `pki`. Nothing that the child
sends back is unpickled: it has read what a stranger wrote.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Unavailable
from app.core.logs import log
from app.documents.sandbox_frame import Facts, Job, pack, unpack
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

_WALL_SECONDS: Final = 15
# A file of 25 MB that was rewritten or prepared may have grown a little; more is a bomb.
_LARGEST_ANSWER: Final = 80 * 1024**2
# Two cores: more at a time would only make each slower, and memory is bounded by this times the limit.
_AT_ONCE: Final = 2
_ROOT: Final = Path(__file__).parent.parent.parent

_places = threading.BoundedSemaphore(_AT_ONCE)


def run(job: Job, facts: Facts, pdf: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what `job` returns in a process of its own.

    Raises PdfRefused with the job's fault, PdfRefused(TOO_COMPLEX) when the process went over a limit or died, and
    Unavailable when too many files wait already.
    """
    with _place():
        answer = _call(f"{job.__module__}:{job.__qualname__}", pack(facts, pdf))
    if answer is None:
        raise PdfRefused(PdfFault.TOO_COMPLEX)
    found, content = answer
    if "refused" in found:
        raise PdfRefused(PdfFault(found["refused"]))
    return found, content


def _call(job: str, frame: bytes) -> tuple[dict[str, Any], bytes] | None:
    try:
        done = subprocess.run(  # noqa: S603  our own module, our own interpreter
            [sys.executable, "-P", "-m", "app.documents.sandbox_child", job],
            input=frame,
            capture_output=True,
            timeout=_WALL_SECONDS,
            check=False,
            # Not the parent's: it holds the address of the database and the passphrase of the keys.
            env={"PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired:
        log.warning("sandbox_ended", job=job, why="time")
        return None
    if done.returncode != 0 or len(done.stdout) > _LARGEST_ANSWER:
        log.warning("sandbox_ended", job=job, why="limit or crash", code=done.returncode)
        return None
    try:
        return unpack(done.stdout)
    except ValueError:
        log.error("sandbox_answer_unreadable", job=job)
        return None


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=_WALL_SECONDS):
        raise Unavailable(
            _l("Many files are being read right now, so yours was not. Nothing was changed."),
            _l("Try again in a minute."),
        )
    try:
        yield
    finally:
        _places.release()
