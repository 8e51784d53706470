"""DER written and read by hand, for the structures that the `cryptography` library cannot make (X.690).

Strict on reading: definite minimal lengths only, nothing after the end. Only what OCSP and CRLs need is here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final, NamedTuple

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
ENUMERATED: Final = 0x0A
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"

_new: Final = tuple.__new__
# RFC 5280, 4.1.2.5: from 2050 on, times are GeneralizedTime.
_GENERALIZED_FROM: Final = 2050


class DerError(ValueError):
    """The bytes are not DER of the expected form. Does not leave this library."""


def encode(tag: int, *contents: bytes) -> bytes:
    """Return one element with the given single-byte tag around the joined `contents`."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*contents: bytes) -> bytes:
    return encode(SEQUENCE, *contents)


def explicit(number: int, *contents: bytes) -> bytes:
    """Return the contents under the constructed context tag [`number`]."""
    return encode(0xA0 | number, *contents)


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return a signed INTEGER, or another tag of the same form such as ENUMERATED."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return encode(tag, value.to_bytes(size, "big", signed=True))


def octet_string(value: bytes) -> bytes:
    return encode(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return encode(BIT_STRING, b"\x00", value)


@cache
def oid(dotted: str) -> bytes:
    """Return the OBJECT IDENTIFIER for its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = b"".join(_base128(arc) for arc in (first * 40 + second, *rest))
    return encode(OBJECT_IDENTIFIER, body)


def time(at: datetime) -> bytes:
    """Return a Time of RFC 5280: UTCTime until 2049, GeneralizedTime after; whole seconds, UTC."""
    at = at.astimezone(UTC)
    if at.year < _GENERALIZED_FROM:
        return encode(UTC_TIME, f"{at.year % 100:02}{_rest(at)}".encode())
    return generalized_time(at)


def generalized_time(at: datetime) -> bytes:
    at = at.astimezone(UTC)
    return encode(GENERALIZED_TIME, f"{at.year:04}{_rest(at)}".encode())


def _rest(at: datetime) -> str:
    # A third of the cost of `strftime`, which also leaves zeros away in years before 1000.
    return f"{at.month:02}{at.day:02}{at.hour:02}{at.minute:02}{at.second:02}Z"


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return one Extension around the DER `value` (RFC 5280, 4.1)."""
    return sequence(oid(dotted), TRUE if critical else b"", octet_string(value))


class Element(NamedTuple):
    """One element as read: its tag byte, its contents, and its whole encoding. (A dataclass takes thrice the time.)"""

    tag: int
    body: bytes
    der: bytes

    def expect(self, tag: int) -> Element:
        """Return itself. Raises DerError if the tag is another."""
        if self.tag != tag:
            raise DerError(f"tag {self.tag:#x}, expected {tag:#x}")
        return self

    def children(self) -> list[Element]:
        """Return the elements inside."""
        return read_all(self.body)

    def as_integer(self) -> int:
        """Return the value of an INTEGER in its shortest form."""
        body = self.expect(INTEGER).body
        redundant = len(body) > 1 and (body[0], body[1] & 0x80) in {(0x00, 0x00), (0xFF, 0x80)}
        if not body or redundant:
            raise DerError("integer not in its shortest form")
        return int.from_bytes(body, "big", signed=True)

    def as_oid(self) -> str:
        """Return the dotted form of an OBJECT IDENTIFIER."""
        body = self.expect(OBJECT_IDENTIFIER).body
        arcs, value, open_arc = [], 0, True
        for byte in body:
            if open_arc and byte == 0x80 and value == 0:
                raise DerError("identifier arc with a leading zero")
            value = value << 7 | byte & 0x7F
            open_arc = not byte & 0x80
            if open_arc:
                arcs.append(value)
                value = 0
        if not arcs or not open_arc:
            raise DerError("identifier ends inside an arc")
        top = min(arcs[0] // 40, 2)
        return ".".join(map(str, (top, arcs[0] - 40 * top, *arcs[1:])))


def read(data: bytes) -> Element:
    """Return the one element that `data` is. Raises DerError, also when bytes follow it."""
    elements = read_all(data)
    if len(elements) != 1:
        raise DerError(f"{len(elements)} elements, expected one")
    return elements[0]


def read_all(data: bytes) -> list[Element]:
    """Return the elements that `data` is a row of. Raises DerError."""
    elements, at, end = [], 0, len(data)
    while at < end:
        start = at
        if start + 2 > end or data[start] & 0x1F == 0x1F:
            raise DerError("element is cut off, or its tag is of many bytes")
        size, at = data[start + 1], start + 2
        if size >= 0x80:
            size, at = _long_size(data, at, size & 0x7F)
        stop = at + size
        if stop > end:
            raise DerError("element is cut off")
        # As Element(…), at half the cost; a certificate has forty of them.
        elements.append(_new(Element, (data[start], data[at:stop], data[start:stop])))
        at = stop
    return elements


def _long_size(data: bytes, at: int, count: int) -> tuple[int, int]:
    """Return a size that is written in `count` octets from `at` on, and where the contents begin."""
    octets = data[at : at + count]
    size = int.from_bytes(octets, "big")
    if not 1 <= count <= 4 or len(octets) != count or octets[0] == 0 or size < 0x80:
        raise DerError("length is indefinite, cut off, or not in its shortest form")
    return size, at + count


def _base128(arc: int) -> bytes:
    parts = [arc & 0x7F]
    while arc := arc >> 7:
        parts.append(arc & 0x7F | 0x80)
    return bytes(reversed(parts))
