"""The signing journal: what `worker` began to sign and what came out, flushed to disk outside the database.

A crash between signing and storing leaves either the finished certificate here, or the mark that it may exist. There
is a file for each intent, so that looking one up costs the same after half a million.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """What the journal knows of one to-be-signed certificate."""

    begun: bool
    certificate_der: bytes | None


class SigningJournal:
    """`signing-journal/<two digits>/<SHA-256 of the intent>.begun` and `.signed`; files are only ever added."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "signing-journal"

    def begin(self, tbs_der: bytes) -> None:
        """Write, durably, that the key is about to be used on these bytes."""
        _write(self._path(tbs_der, "begun"), b"")

    def finish(self, tbs_der: bytes, certificate_der: bytes) -> None:
        """Write, durably, what was signed, before anybody else sees it."""
        _write(self._path(tbs_der, "signed"), certificate_der)

    def look_up(self, tbs_der: bytes) -> Found:
        """Return what is known; what a crash cut off while it was written counts as not written."""
        signed = self._path(tbs_der, "signed")
        begun = self._path(tbs_der, "begun").exists()
        return Found(begun, signed.read_bytes() if signed.exists() else None)

    def _path(self, tbs_der: bytes, ending: str) -> Path:
        digest = hashlib.sha256(tbs_der).hexdigest()
        return self._folder / digest[:2] / f"{digest}.{ending}"


def _write(path: Path, content: bytes) -> None:
    """Put a file in place whole and durably."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    for folder in (path.parent, path.parent.parent):
        _flush(folder)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
