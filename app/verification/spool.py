"""Where a file waits for `worker` to check it, and a report for its reader: encrypted, for a quarter of an hour.

The key of both follows from a secret that no file holds. Each file has a key of its own, so that one that is written
again is never encrypted twice under the same numbers.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.verification.source import Source, pieces

SECRET_OCTETS: Final = 32
_SALT: Final = 16
_TAG: Final = 16
_PIECE: Final = 1024 * 1024
# Number of the piece and whether it is the last one: what is cut short or put together anew does not open.
_NONCE: Final = struct.Struct(">3xQ?")
_HEAD: Final = struct.Struct(">I")


class Kind(StrEnum):
    FILE = "file"
    REPORT = "report"


class SpoolDamaged(Exception):
    """The file is gone, was changed, or belongs to another secret."""


class Spool:
    """A folder of encrypted files, one of each kind for an order."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "spool" / "checks"

    def put(self, order: UUID, kind: Kind, secret: bytes, facts: dict[str, str], content: Source) -> int:
        """Write a file with what belongs to it, whole or not at all; return its octets on the disk."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(order, kind)
        # A name of its own for each attempt: two workers may be at the same order for a moment.
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        salt = secrets.token_bytes(_SALT)
        cipher = _cipher(secret, kind, salt)
        try:
            with temporary.open("xb") as file:
                file.write(salt)
                for number, (piece, is_last) in enumerate(_cut(_framed(facts, content))):
                    file.write(cipher.encrypt(_NONCE.pack(number, is_last), piece, None))
            size = temporary.stat().st_size
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
        return size

    def open(self, order: UUID, kind: Kind, secret: bytes, into: IO[bytes]) -> dict[str, str]:
        """Write the content into an open file and return what belongs to it. Raises SpoolDamaged."""
        opened = self._opened(order, kind, secret)
        try:
            first = next(opened)
            (length,) = _HEAD.unpack_from(first)
            facts = json.loads(first[_HEAD.size : _HEAD.size + length])
            into.write(first[_HEAD.size + length :])
            for piece in opened:
                into.write(piece)
        except (OSError, InvalidTag, struct.error) as error:
            raise SpoolDamaged from error
        into.flush()
        return {str(name): str(value) for name, value in facts.items()}

    def has(self, order: UUID, kind: Kind) -> bool:
        return self._path(order, kind).exists()

    def remove(self, order: UUID, *kinds: Kind) -> None:
        """Take away what there is of an order."""
        for kind in kinds:
            self._path(order, kind).unlink(missing_ok=True)

    def sweep(self, *, old: datetime, unwanted: datetime, is_wanted: Callable[[UUID, Kind], bool]) -> int:
        """Take away what was written before `old`, and before `unwanted` if no order wants it; return how many."""
        count = 0
        for path in list(self._folder.iterdir()) if self._folder.is_dir() else []:
            # Another process may be sweeping too.
            with suppress(FileNotFoundError):
                written = path.stat().st_mtime
                # A file is there a moment before its order is.
                if written < old.timestamp() or (written < unwanted.timestamp() and not _is_of(path, is_wanted)):
                    path.unlink()
                    count += 1
        return count

    def _opened(self, order: UUID, kind: Kind, secret: bytes) -> Iterator[bytes]:
        path = self._path(order, kind)
        with path.open("rb") as file:
            cipher, left = _cipher(secret, kind, file.read(_SALT)), path.stat().st_size - _SALT
            number = 0
            while left > 0:
                sealed = file.read(_PIECE + _TAG)
                left -= len(sealed)
                yield cipher.decrypt(_NONCE.pack(number, left <= 0), sealed, None)
                number += 1

    def _path(self, order: UUID, kind: Kind) -> Path:
        return self._folder / f"{order.hex}.{kind}"


def _is_of(path: Path, is_wanted: Callable[[UUID, Kind], bool]) -> bool:
    """Say whether a file belongs to an order that wants it."""
    name, _, rest = path.name.partition(".")
    try:
        return is_wanted(UUID(name), Kind(rest.partition(".")[0]))
    except ValueError:
        return False


def _framed(facts: dict[str, str], content: Source) -> Iterator[bytes]:
    text = json.dumps(facts).encode()
    yield _HEAD.pack(len(text)) + text
    for _, piece in pieces(content):
        yield piece


def _cut(parts: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces of one size, the last one as long as it is, and whether it is the last."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) > _PIECE:
            yield bytes(waiting[:_PIECE]), False
            del waiting[:_PIECE]
    yield bytes(waiting), True


def _cipher(secret: bytes, kind: Kind, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, f"kyvao check {kind}".encode()).derive(secret))
