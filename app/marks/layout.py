"""Whether a paper is laid out as Decree 30/2020 asks, measured before somebody sends it on or seals it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.documents import sandbox
from app.marks import layout_job
from pki.errors import PdfRefused
from pki.layout.rules import Rule
from pki.layout.survey import Finding

# Of a seal whose agency has not said otherwise.
SEAL_MM: Final = 36.0
# What cannot be put right once it is done: it is refused. The rest is said, and somebody decides.
REFUSED: Final = frozenset({Rule.SEAL_SIZE, Rule.SEAL_OVERLAP, Rule.OUTSIDE_PAGE, Rule.NO_FREE_STRIP})
_KEPT: Final = 256

# Field name and full name of a head.
Head = tuple[str, str | None]


def measure(path: Path, *, heads: Sequence[Head], seal_mm: float, is_main: bool) -> Sequence[Finding]:
    """Return what the file at `path` breaks; nothing for one that cannot be read: reading it says so by itself.

    Files in storage are named for their contents, so what was measured once stays true.
    """
    return _measured(path, tuple(heads), seal_mm, is_main)


@lru_cache(maxsize=_KEPT)
def _measured(path: Path, heads: tuple[Head, ...], seal_mm: float, is_main: bool) -> Sequence[Finding]:
    facts = {"heads": [list(one) for one in heads], "seal_mm": seal_mm, "is_main": is_main}
    try:
        found, output = sandbox.run(layout_job.measure, facts, path)
    except (PdfRefused, FileNotFoundError):
        return ()
    output.close()
    return tuple(
        Finding(
            Rule(one["rule"]), int(one["page"]), one["measured_mm"], one["least_mm"], one["most_mm"], str(one["whose"])
        )
        for one in found["findings"]
    )


def is_refused(finding: Finding) -> bool:
    """Say whether the paper cannot be sent on or sealed as long as this is so."""
    return finding.rule in REFUSED
