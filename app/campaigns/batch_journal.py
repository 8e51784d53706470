"""The signing journal of one batch: each signature is written to a file before anybody else sees it.

The file is locked by whoever works on the batch; the system frees the lock when that process dies, so a batch whose
file can be locked has no owner. Signatures are written one by one and in order, so that after `kill -9` at most one of
them is unknown: the first that is missing. After the machine itself went down the file may have lost more, and then
every missing one counts as unknown. What is unknown is never signed again.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_HEAD: Final = struct.Struct(">36s")
_RECORD: Final = struct.Struct(">IH")


class Busy(Exception):
    """Another process works on this batch."""


@dataclass(frozen=True)
class Read:
    """What the journal knows: signatures by row number, and the rows that may have been signed without a trace."""

    signatures: dict[int, bytes]
    unknown: frozenset[int]


class BatchJournal:
    """The journal of one batch, open and locked."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and lock it. Raises Busy if somebody else has it."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise Busy from error

    def __enter__(self) -> BatchJournal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._handle)

    def begin(self) -> None:
        """Write, durably, that signing begins in this run of the machine."""
        os.ftruncate(self._handle, 0)
        os.write(self._handle, _HEAD.pack(_boot_id()))
        os.fsync(self._handle)
        self._flush_folder()

    def append(self, number: int, signature: bytes) -> None:
        """Write one signature."""
        os.write(self._handle, _RECORD.pack(number, len(signature)) + signature)

    def sync(self) -> None:
        """Make durable what was appended."""
        os.fsync(self._handle)

    def forget(self) -> None:
        """Take the file away: everything in it stands in the database now."""
        self._path.unlink(missing_ok=True)

    def read(self, numbers: Sequence[int]) -> Read:
        """Return what is known of the rows `numbers`, which were signed in this order."""
        content = os.pread(self._handle, os.fstat(self._handle).st_size, 0)
        if len(content) < _HEAD.size:
            # Signing never began.
            return Read({}, frozenset())
        signatures, end = _signatures(content)
        # What comes next must not follow a record that was cut off.
        os.ftruncate(self._handle, end)
        missing = [number for number in numbers if number not in signatures]
        same_run = content[: _HEAD.size] == _HEAD.pack(_boot_id())
        return Read(signatures, frozenset(missing[:1] if same_run else missing))

    def _flush_folder(self) -> None:
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _signatures(content: bytes) -> tuple[dict[int, bytes], int]:
    """Return the signatures by row number, and where the last whole record ends."""
    found: dict[int, bytes] = {}
    at = _HEAD.size
    while at + _RECORD.size <= len(content):
        number, size = _RECORD.unpack_from(content, at)
        signature = content[at + _RECORD.size : at + _RECORD.size + size]
        # A last record that was cut off counts as not written.
        if len(signature) < size:
            break
        found[number] = signature
        at += _RECORD.size + size
    return found, at


def _boot_id() -> bytes:
    return _BOOT.read_bytes().strip()[:36] if _BOOT.exists() else b"unknown".ljust(36)
