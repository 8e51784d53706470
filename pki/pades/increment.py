"""A PDF that is read where it lies and grows in memory: an incremental update without a copy of what it updates.

A file of 100 MB is signed with a few kilobytes; whoever stores the result writes the base, then what was appended.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from typing import IO, Final

from pki.errors import PdfRefused
from pki.pades import byte_range as gap
from pki.pades.faults import PdfFault

_PIECE: Final = 1 << 20
_BUFFER: Final = 1 << 16


class Growing(io.BufferedRandom):
    """`base` as a file that can be written behind its end. The base itself is never changed.

    Buffered, since a parser of PDF asks for single bytes.
    """

    def __init__(self, base: IO[bytes]) -> None:
        self._grown = _Grown(base)
        super().__init__(self._grown, _BUFFER)

    @property
    def base_size(self) -> int:
        return self._grown.base_size

    @property
    def appended(self) -> bytes:
        """What was written behind the base."""
        self.flush()
        return bytes(self._grown.tail)


def digest(base: IO[bytes], appended_part: bytes, byte_range: Sequence[int]) -> bytes:
    """Return the SHA-256 of what the range covers of base and appended part, a piece at a time.

    Raises PdfRefused(BYTE_RANGE) unless the range leaves out one hexadecimal string of the appended part, nothing else.
    """
    size = base.seek(0, os.SEEK_END)
    if len(byte_range) != 4 or byte_range[0] != 0:
        raise PdfRefused(PdfFault.BYTE_RANGE)
    start, end = byte_range[1] - size, byte_range[2] - size
    if not gap.is_sound(appended_part, (0, start, end, byte_range[3])):
        raise PdfRefused(PdfFault.BYTE_RANGE)
    hashed = hashlib.sha256()
    hash_into(base, hashed)
    view = memoryview(appended_part)
    hashed.update(view[:start])
    hashed.update(view[end:])
    return hashed.digest()


def hash_into(base: IO[bytes], digest: hashlib._Hash) -> None:
    """Feed all of `base` to `digest`, a piece at a time."""
    base.seek(0)
    while piece := base.read(_PIECE):
        digest.update(piece)


class _Grown(io.RawIOBase):
    """The base from its file, what is behind it from memory."""

    def __init__(self, base: IO[bytes]) -> None:
        super().__init__()
        self._base = base
        self.base_size = base.seek(0, os.SEEK_END)
        self.tail = bytearray()
        self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = self.base_size + len(self.tail)
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence])
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # the base class names no type for buffers
        if self._at < self.base_size:
            self._base.seek(self._at)
            content = self._base.read(min(len(view), self.base_size - self._at))
        else:
            first = self._at - self.base_size
            content = bytes(self.tail[first : first + len(view)])
        view[: len(content)] = content
        self._at += len(content)
        return len(content)

    def write(self, data: object) -> int:
        content = bytes(memoryview(data))  # type: ignore[arg-type]  # as above
        first = self._at - self.base_size
        if not 0 <= first <= len(self.tail):
            raise io.UnsupportedOperation("only what is behind the base can be written")
        self.tail[first : first + len(content)] = content
        self._at += len(content)
        return len(content)
