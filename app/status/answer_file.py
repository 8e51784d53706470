"""Stored OCSP answers of one authority: a file of fixed slots, found by serial number, mapped by every worker.

Of an answer only what differs is stored: status, times and signature; the rest is the same for all and is put around
it when it is sent. The file is written whole by one process and put in place by a rename, so a reader never sees half
a file. Serial numbers are 136 bits of chance, so their last octets are the place of their slot.

Not here: what happened after the file was made. `app.status.feed` knows that, from `snapshot` on.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

_MAGIC: Final = b"KVOCSP2\n"
# Magic, size of a slot, lifetime in s, slots, answers, snapshot, built at, oldest thisUpdate, authority,
# digest of the responder's certificate.
_HEADER: Final = struct.Struct(">8sIIQQqqq16s32s")
_FIRST_SLOT: Final = 256
# Status, reason, length of the signature, length of the serial and the serial, revocation time, thisUpdate.
_SLOT: Final = struct.Struct(">BBB21sII")
_SLOT_SIZE: Final = 128
LONGEST_SERIAL: Final = 20
LONGEST_SIGNATURE: Final = _SLOT_SIZE - _SLOT.size
# Two of three slots are taken at the most; a search then looks at two or three.
_SPREAD: Final = 1.5
_FEWEST_SLOTS: Final = 64
SUFFIX: Final = ".answers"

GOOD: Final = 1
REVOKED: Final = 2


class AnswerFileError(Exception):
    """The file is not one of ours, or is cut off."""


@dataclass(frozen=True, slots=True)
class Header:
    """What holds for the whole file; times are seconds since 1970."""

    authority_id: UUID
    # SHA-256 of the certificate whose key made every signature.
    responder_sha256: bytes
    # The oldest transaction that was still running when the register was read: every later change may be missing.
    snapshot: int
    built_at: int
    oldest: int
    lifetime: int
    count: int
    slots: int


class Slot(NamedTuple):
    """One stored answer."""

    status: int
    reason: int
    revoked_at: int
    this_update: int
    signature: bytes


class AnswerFile:
    """A file opened for reading. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, AnswerFileError."""
        with path.open("rb") as file:
            self.inode = os.fstat(file.fileno()).st_ino
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.header = _read_header(self._map)
        self._slots = self.header.slots

    def look_up(self, serial: bytes) -> Slot | None:
        """Return the answer for a serial number of 1 to 20 octets, without a leading zero; None if none is stored."""
        if not 0 < len(serial) <= LONGEST_SERIAL:
            return None
        key, place = _key(serial), _place(serial, self._slots)
        data = self._map
        while True:
            at = _FIRST_SLOT + place * _SLOT_SIZE
            status, reason, size, found, revoked_at, this_update = _SLOT.unpack_from(data, at)
            if found == key:
                start = at + _SLOT.size
                return Slot(status, reason, revoked_at, this_update, data[start : start + size])
            if not status:
                return None
            place = (place + 1) % self._slots


class AnswerFileWriter:
    """A file being made beside its place; `finish` puts it there, leaving the block without it removes it."""

    def __init__(
        self, path: Path, *, authority_id: UUID, responder_sha256: bytes, lifetime: int, expected: int
    ) -> None:
        """Room is made for `expected` answers."""
        self._path, self._making = path, path.with_name(f".{path.name}.{os.getpid()}")
        self._slots = max(_FEWEST_SLOTS, int(expected * _SPREAD) + 1)
        self._authority_id, self._responder, self._lifetime = authority_id, responder_sha256, lifetime
        self._room, self._count, self._oldest = expected, 0, 0
        handle = os.open(self._making, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            # Not a file with holes: a full disk is then an error here, not a signal in the middle of writing.
            os.posix_fallocate(handle, 0, _FIRST_SLOT + self._slots * _SLOT_SIZE)
            self._map = mmap.mmap(handle, 0)
        finally:
            os.close(handle)

    def __enter__(self) -> AnswerFileWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()
        self._making.unlink(missing_ok=True)

    @property
    def count(self) -> int:
        return self._count

    def add(self, serial: bytes, slot: Slot) -> bool:
        """Store an answer; say no for one that has no room: too long, or more than expected (it is answered live)."""
        if (
            not 0 < len(serial) <= LONGEST_SERIAL
            or len(slot.signature) > LONGEST_SIGNATURE
            or self._count >= self._room
        ):
            return False
        place = _place(serial, self._slots)
        while self._map[_FIRST_SLOT + place * _SLOT_SIZE]:
            place = (place + 1) % self._slots
        at = _FIRST_SLOT + place * _SLOT_SIZE
        size = len(slot.signature)
        _SLOT.pack_into(self._map, at, slot.status, slot.reason, size, _key(serial), slot.revoked_at, slot.this_update)
        start = at + _SLOT.size
        self._map[start : start + size] = slot.signature
        self._count += 1
        self._oldest = min(self._oldest or slot.this_update, slot.this_update)
        return True

    def finish(self, *, snapshot: int, built_at: int) -> None:
        """Write the header, flush, and take the place of the file before."""
        header = (
            _MAGIC, _SLOT_SIZE, self._lifetime, self._slots, self._count, snapshot, built_at, self._oldest or built_at,
            self._authority_id.bytes, self._responder,
        )  # fmt: skip
        _HEADER.pack_into(self._map, 0, *header)
        self._map.flush()
        self._making.replace(self._path)


def files_in(folder: Path) -> Iterator[Path]:
    """Give the files of stored answers in `folder`."""
    return folder.glob(f"*{SUFFIX}")


def path_of(folder: Path, authority: str) -> Path:
    """Return where the answers of an authority lie, by the name in its addresses."""
    return folder / f"{authority}{SUFFIX}"


def _key(serial: bytes) -> bytes:
    return bytes((len(serial),)) + serial.ljust(LONGEST_SERIAL, b"\0")


def _place(serial: bytes, slots: int) -> int:
    return int.from_bytes(serial[-8:], "big") % slots


def _read_header(data: mmap.mmap) -> Header:
    if len(data) < _FIRST_SLOT or data[:8] != _MAGIC:
        raise AnswerFileError("not a file of stored answers")
    _, size, lifetime, slots, count, snapshot, built_at, oldest, authority, responder = _HEADER.unpack_from(data, 0)
    if size != _SLOT_SIZE or slots < _FEWEST_SLOTS or count >= slots or len(data) != _FIRST_SLOT + slots * size:
        raise AnswerFileError("a file of stored answers that is cut off")
    return Header(UUID(bytes=authority), responder, snapshot, built_at, oldest, lifetime, count, slots)
