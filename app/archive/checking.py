"""What others say of a renewed file before it counts: poppler's pdfsig as a program, qpdf in the limited process."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from functools import cache
from pathlib import Path
from typing import Final

from app.archive import augment_job
from app.documents import sandbox
from pki.errors import PdfRefused

# What stands in the row of a file that all of them accepted.
QPDF: Final = "qpdf"
PDFSIG: Final = "pdfsig"
_SECONDS: Final = 20
_MEMORY: Final = 1024**3
_ENTRY: Final = re.compile(r"^Signature #", re.MULTILINE)
_VALID: Final = "Signature is Valid."
# Poppler does not judge document timestamps; it says so, and that they are there.
_NOT_JUDGED: Final = "Signature has not yet been verified."
_WHOLE: Final = "Total document signed"


@cache
def installed() -> tuple[str, ...]:
    """Return the names of the programs that judge here; qpdf is a library of ours, pdfsig may be missing."""
    return (PDFSIG, QPDF) if shutil.which(PDFSIG) else (QPDF,)


def signatures_are_valid(path: Path, *, signatures: int, pool: Executor) -> Future[bool]:
    """Have pdfsig look at a file of so many signatures that ends with a document timestamp; true if it is missing."""
    return pool.submit(_pdfsig, path, signatures)


def sound(files: Sequence[tuple[Path, int]]) -> list[bool]:
    """Say of each file whether qpdf finds it as sound as its base, which is so many octets of its beginning."""
    sizes = [(base, path.stat().st_size) for path, base in files]
    # A large one comes alone, and is not read here.
    source = files[0][0] if len(files) == 1 else b"".join(path.read_bytes() for path, _ in files)
    try:
        facts, output = sandbox.run(augment_job.check_many, {"sizes": sizes}, source)
    except PdfRefused:
        return [False] * len(files)
    output.close()
    return [bool(one) for one in facts["sound"]]


def _pdfsig(path: Path, signatures: int) -> bool:
    """Every signature valid, every other entry a timestamp, and the last one over the whole file."""
    if PDFSIG not in installed():
        return True
    found = _ENTRY.split(_run(PDFSIG, "-nocert", str(path)))[1:]
    valid = sum(_VALID in one for one in found)
    stamps = sum(_NOT_JUDGED in one for one in found)
    return valid == signatures and valid + stamps == len(found) and bool(found) and _WHOLE in found[-1]


def _run(*words: str) -> str:
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(  # noqa: S603  a program of the system by its name, and a path of ours
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", env=environ
    ) as child:
        # From outside: a function run between fork and exec would copy this whole process first.
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.prlimit(child.pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        try:
            said, _ = child.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            said, _ = child.communicate()
    return said
