"""What programs of others say of a renewed file before it counts: poppler's pdfsig and qpdf, each limited."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_SECONDS: Final = 20
_MEMORY: Final = 1024**3
_ENTRY: Final = re.compile(r"^Signature #", re.MULTILINE)
_VALID: Final = "Signature is Valid."
# Poppler does not judge document timestamps; it says so, and that they are there.
_NOT_JUDGED: Final = "Signature has not yet been verified."
_WHOLE: Final = "Total document signed"
# 3 stands for warnings, which a file may have had when it was taken in.
_QPDF_ACCEPTS: Final = (0, 3)

Ran = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Asked:
    """The programs at work on a file; None for one that is not installed."""

    pdfsig: Future[Ran] | None
    qpdf: Future[Ran] | None

    def accepts(self, *, signatures: int) -> bool:
        """Say whether each accepts a file of so many signatures that ends with a document timestamp.

        Without any program nothing is accepted: that a file is good is for somebody else to say.
        """
        if self.pdfsig is None and self.qpdf is None:
            return False
        qpdf = self.qpdf is None or self.qpdf.result().returncode in _QPDF_ACCEPTS
        return qpdf and (self.pdfsig is None or _all_valid(self.pdfsig.result().stdout, signatures))


@cache
def installed() -> tuple[str, ...]:
    """Return the names of the programs that are here."""
    return tuple(name for name in ("pdfsig", "qpdf") if shutil.which(name))


def ask(path: Path, pool: Executor) -> Asked:
    """Have every installed program look at a file."""
    here = installed()
    return Asked(
        pool.submit(_run, "pdfsig", "-nocert", str(path)) if "pdfsig" in here else None,
        pool.submit(_run, "qpdf", "--check", str(path)) if "qpdf" in here else None,
    )


def _all_valid(said: str, signatures: int) -> bool:
    """Every signature valid, every other entry a timestamp, and the last one over the whole file."""
    found = _ENTRY.split(said)[1:]
    valid = sum(_VALID in one for one in found)
    stamps = sum(_NOT_JUDGED in one for one in found)
    return valid == signatures and valid + stamps == len(found) and bool(found) and _WHOLE in found[-1]


def _run(*words: str) -> Ran:
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(  # noqa: S603  programs of the system by their names, and a path of ours
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
    return subprocess.CompletedProcess(words, child.returncode, said)
