"""CBOR (RFC 8949) read strictly: definite lengths in their shortest form, integer keys in order, nothing after the end.

A general library also reads tags, floats, shared references and regular expressions; none of these belongs in front of
a signature check. Writing is left to cbor2. app/frontend/src/passes/cbor.ts is the same reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pki.errors import PassRejected
from pki.passes.faults import PassFault

Cbor: TypeAlias = "int | str | bytes | Sequence[Cbor] | Mapping[int, Cbor]"

_DEEPEST: Final = 6
# By the short count in a head: how many bytes of argument follow, and the smallest that needs so many.
_SHORTEST: Final = 24
_ARGUMENT: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16)}


def decode(data: bytes) -> Cbor:
    """Return the one value that `data` is. Integers have up to 32 bits. Raises PassRejected(MALFORMED)."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise malformed()
    return value


def natural(value: Cbor | None) -> int:
    """Return `value` if it is an integer from 0. Raises PassRejected(MALFORMED)."""
    if not isinstance(value, int) or value < 0:
        raise malformed()
    return value


def text(value: Cbor | None) -> str:
    """Return `value` if it is a text. Raises PassRejected(MALFORMED)."""
    if not isinstance(value, str):
        raise malformed()
    return value


def octets(value: Cbor | None, length: int | None = None) -> bytes:
    """Return `value` if it is a byte string, of `length` if given. Raises PassRejected(MALFORMED)."""
    if not isinstance(value, bytes) or length not in (None, len(value)):
        raise malformed()
    return value


def array(value: Cbor | None, length: int | None = None) -> list[Cbor]:
    """Return `value` if it is an array, of `length` items if given. Raises PassRejected(MALFORMED)."""
    if not isinstance(value, list) or length not in (None, len(value)):
        raise malformed()
    return value


def mapping(value: Cbor | None) -> dict[int, Cbor]:
    """Return `value` if it is a map. Raises PassRejected(MALFORMED)."""
    if not isinstance(value, dict):
        raise malformed()
    return value


def malformed() -> PassRejected:
    """Return the one error of this module."""
    return PassRejected(PassFault.MALFORMED)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Cbor:
        at = self.at
        if depth > _DEEPEST or at >= len(self._data):
            raise malformed()
        first = self._data[at]
        self.at = at + 1
        major, short = first >> 5, first & 0x1F
        argument = short if short < _SHORTEST else self._argument(short)
        # The commonest first: a tablet's log is read by the thousand.
        if major == 0:
            return argument
        if major == 2:
            return self._take(argument)
        if major == 1:
            return -1 - argument
        if major == 3:
            return self._text(argument)
        if major == 4:
            return self._array(argument, depth)
        if major == 5:
            return self._map(argument, depth)
        raise malformed()

    def _argument(self, short: int) -> int:
        if short not in _ARGUMENT:
            raise malformed()
        size, smallest = _ARGUMENT[short]
        argument = int.from_bytes(self._take(size), "big")
        if argument < smallest:
            raise malformed()
        return argument

    def _array(self, count: int, depth: int) -> list[Cbor]:
        return [self.value(depth + 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[int, Cbor]:
        found: dict[int, Cbor] = {}
        before = b""
        for _ in range(count):
            start = self.at
            key = self.value(depth + 1)
            written = self._data[start : self.at]
            # In order of their bytes (RFC 8949, 4.2.1), which also means that none comes twice.
            if not isinstance(key, int) or written <= before:
                raise malformed()
            before = written
            found[key] = self.value(depth + 1)
        return found

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise malformed() from error

    def _take(self, size: int) -> bytes:
        start, end = self.at, self.at + size
        if end > len(self._data):
            raise malformed()
        self.at = end
        return self._data[start:end]
