"""What is checked: small files in memory, large ones where the server put them, read piece by piece."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import IO, Final

# The octets, or an open file on the disk.
Source = bytes | IO[bytes]
LARGEST: Final = 100 * 1024 * 1024
_IN_MEMORY: Final = 1024 * 1024
_PIECE: Final = 1024 * 1024


def source_of(stream: IO[bytes]) -> Source:
    """Return what a request brought: its octets up to a megabyte, otherwise the file that they were written to."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size <= _IN_MEMORY:
        return stream.read()
    stream.flush()
    return stream


def size_of(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else os.fstat(source.fileno()).st_size


def pieces(source: Source, *, carry: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield each piece with its place; each begins `carry` octets before the last one ended.

    Read by place: the limited process reads the same open file, and moves where it stands.
    """
    if isinstance(source, bytes):
        yield 0, source
        return
    handle, start, kept = source.fileno(), 0, b""
    while piece := os.pread(handle, _PIECE, start + len(kept)):
        piece = kept + piece
        yield start, piece
        kept = piece[len(piece) - carry :]
        start += len(piece) - len(kept)


def sha256_of(source: Source) -> bytes:
    digest = hashlib.sha256()
    for _, piece in pieces(source):
        digest.update(piece)
    return digest.digest()
