"""The signing journal: what `worker` began to sign and what came out, flushed to disk outside the database.

A crash between signing and storing leaves either the finished certificate here, or the mark that it may exist.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """What the journal knows of one to-be-signed certificate."""

    begun: bool
    certificate_der: bytes | None


class SigningJournal:
    """A file of one JSON line for each step; lines are only ever added."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "signing-journal.jsonl"

    def begin(self, tbs_der: bytes) -> None:
        """Write, durably, that the key is about to be used on these bytes."""
        self._append({"begun": _digest(tbs_der)})

    def finish(self, tbs_der: bytes, certificate_der: bytes) -> None:
        """Write, durably, what was signed, before anybody else sees it."""
        self._append({"signed": _digest(tbs_der), "certificate": base64.b64encode(certificate_der).decode()})

    def look_up(self, tbs_der: bytes) -> Found:
        """Return what is known; a last line cut off by a crash counts as not written."""
        begun, certificate_der, wanted = False, None, _digest(tbs_der)
        for line in self._lines():
            begun = begun or line.get("begun") == wanted
            if line.get("signed") == wanted:
                certificate_der = base64.b64decode(line["certificate"])
        return Found(begun, certificate_der)

    def _lines(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        lines = []
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
        return lines

    def _append(self, line: dict[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(f"{json.dumps(line)}\n".encode())
            file.flush()
            os.fsync(file.fileno())


def _digest(tbs_der: bytes) -> str:
    return hashlib.sha256(tbs_der).hexdigest()
