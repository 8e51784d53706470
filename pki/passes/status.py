"""The status list: two bits for each pass, exact, at a place chosen at random (after the IETF Token Status List).

A filter that errs now and then would refuse an innocent guest now and then; a bitmap does not, and packs to a few kB.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import PassRejected, ProfileViolation
from pki.keys import SigningKey
from pki.passes import cbor, signed_list
from pki.passes.faults import PassFault
from pki.passes.signed_list import Edition

KIND: Final = "status"
# Places in a list. A pass takes one at random, so that neighbours say nothing about each other.
CAPACITY: Final = 1 << 20
_PER_BYTE: Final = 4


class PassStatus(IntEnum):
    """The two bits."""

    VALID = 0
    WITHDRAWN = 1
    SUSPENDED = 2
    # A newer pass took its place: the guest has another letter.
    CHANGED = 3


@dataclass(frozen=True)
class StatusList:
    """A verified list."""

    edition: Edition
    bits: bytes

    def look_up(self, index: int) -> PassStatus:
        """Return the status at `index`. Raises PassRejected(MALFORMED) if the list has no such place."""
        if not 0 <= index < len(self.bits) * _PER_BYTE:
            raise PassRejected(PassFault.MALFORMED)
        return PassStatus(self.bits[index // _PER_BYTE] >> 2 * (index % _PER_BYTE) & 3)


def build(edition: Edition, statuses: Mapping[int, PassStatus], key: SigningKey) -> bytes:
    """Return the signed list; places not in `statuses` are VALID. Raises ProfileViolation for one beyond the list."""
    bits = bytearray(CAPACITY // _PER_BYTE)
    for index, status in statuses.items():
        if not 0 <= index < CAPACITY:
            raise ProfileViolation(f"no place {index} in the status list")
        bits[index // _PER_BYTE] |= status << 2 * (index % _PER_BYTE)
    return signed_list.sign(KIND, edition, zlib.compress(bytes(bits), 9), key)


def verify(message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int = 0) -> StatusList:
    """Return the list. Raises PassRejected: MALFORMED, BAD_SIGNATURE, ROLLBACK."""
    edition, body = signed_list.verify(KIND, message, public_key, at_least=at_least)
    unpacker = zlib.decompressobj()
    try:
        # Never more than a list can hold, whatever the packed form says.
        bits = unpacker.decompress(cbor.octets(body), CAPACITY // _PER_BYTE)
    except zlib.error as error:
        raise cbor.malformed() from error
    if len(bits) != CAPACITY // _PER_BYTE or not unpacker.eof or unpacker.unused_data:
        raise cbor.malformed()
    return StatusList(edition, bits)
