"""One entry of a tablet's log of scans: chained by hash, signed by the tablet's key, and free of personal data.

What could name a guest travels beside it and can be erased: the entry holds only a salted commitment to the pass.
Writing is canonical CBOR (RFC 8949, 4.2); keys that do not apply are left out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final
from uuid import UUID

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from pki.errors import ProfileViolation
from pki.keys import SigningKey
from pki.passes import cbor
from pki.passes.cbor import Cbor
from pki.passes.decision import Outcome, Reason

# What the first entry of a tablet names as the one before it.
NO_PREVIOUS: Final = bytes(32)
LONGEST: Final = 512
_HALF: Final = 32
_WORD: Final = 0xFFFFFFFF
# Codes of the wire; only ever added to at the end.
OUTCOMES: Final = (Outcome.ADMIT, Outcome.REFUSE, Outcome.LOOK_AGAIN)
REASONS: Final = (
    Reason.ADMITTED,
    Reason.ALREADY_ADMITTED,
    Reason.NOT_OURS,
    Reason.FORGED,
    Reason.UNKNOWN_KEY,
    Reason.AGENCY_KEY_ENDED,
    Reason.WITHDRAWN,
    Reason.SUSPENDED,
    Reason.CHANGED,
    Reason.WRONG_BUILDING,
    Reason.WRONG_ZONE,
    Reason.WRONG_DAY,
    Reason.TOO_EARLY,
    Reason.TOO_LATE,
    Reason.STALE_LISTS,
    Reason.NO_NETWORK,
    Reason.NO_LEASE,
    Reason.LEASED_ELSEWHERE,
    Reason.ADMITTED_UNCONFIRMED,
    Reason.READMITTED,
    Reason.CHECKED_OUT,
    Reason.OLD_CODE,
)


class Direction(IntEnum):
    """Which way somebody goes."""

    IN = 0
    OUT = 1


class Face(IntEnum):
    """The guard's eye."""

    MATCH = 0
    MISMATCH = 1
    UNCLEAR = 2


class EventFlags(IntFlag):
    """What kind of entry it is."""

    NONE = 0
    # A supervisor let somebody in whom the rule did not; `refers_to` is the scan.
    OVERRIDE = 1
    # No pass was read: somebody was looked up by name, or a code was typed.
    MANUAL = 2
    KIOSK = 4
    # The first entry of a boot. Leases are signed for a boot that the server has heard of.
    BOOT = 8
    # The tablet has taken up the lease list of `lease_epoch` and gives back what that no longer holds.
    LEASES_TAKEN = 16
    # The guard's word about the face; `refers_to` is the scan.
    FACE = 32
    # The last entry of a boot that ended in order: nothing was admitted after it.
    CLOSED = 64


@dataclass(frozen=True)
class ScanEvent:
    """What the tablet saw and decided."""

    device_id: UUID
    # Counts from 1 without a gap.
    seq: int
    # SHA-256 of the bytes of the entry before; NO_PREVIOUS for the first.
    previous: bytes
    boot_id: UUID
    # Hybrid logical clock: milliseconds since 1970 times 2^16, and a counter (see `tick`).
    hlc: int
    # Milliseconds since the boot began.
    monotonic_ms: int
    trust_version: int
    status_version: int
    roster_version: int
    commitment: bytes
    checkpoint_id: UUID
    direction: Direction
    outcome: Outcome
    reason: Reason
    slot: int
    # The epoch of the lease list that the right was taken from; None without a lease.
    lease_epoch: int | None = None
    flags: EventFlags = EventFlags.NONE
    # The scan that an override or a word about a face is about.
    refers_to: UUID | None = None
    face: Face | None = None

    @property
    def scan_id(self) -> UUID:
        """The name of the entry, which follows from who made it and its number."""
        return scan_id(self.device_id, self.seq)

    def encode(self) -> bytes:
        """Return the canonical bytes. Raises ProfileViolation if a number has more than 32 bits, the clock 64."""
        numbers = (self.seq, self.monotonic_ms, self.trust_version, self.status_version, self.roster_version, self.slot)
        outside = any(not 0 <= one <= _WORD for one in (*numbers, self.lease_epoch or 0)) or self.hlc >> 64
        if outside or self.seq == 0 or len(self.previous) != _HALF or len(self.commitment) != _HALF:
            raise ProfileViolation("a scan cannot say this")
        content: dict[int, int | bytes | None] = {
            1: self.device_id.bytes,
            2: self.seq,
            3: self.previous,
            4: self.boot_id.bytes,
            5: self.hlc.to_bytes(8, "big"),
            6: self.monotonic_ms,
            7: self.trust_version,
            8: self.status_version,
            9: self.roster_version,
            10: self.commitment,
            11: self.checkpoint_id.bytes,
            12: int(self.direction),
            13: OUTCOMES.index(self.outcome),
            14: REASONS.index(self.reason),
            15: self.slot,
            16: self.lease_epoch,
            17: int(self.flags),
            18: self.refers_to.bytes if self.refers_to else None,
            19: None if self.face is None else int(self.face),
        }
        return cbor2.dumps({key: value for key, value in content.items() if value is not None}, canonical=True)


def decode(data: bytes) -> ScanEvent:
    """Return the entry. Raises PassRejected(MALFORMED) unless `data` is exactly what `encode` makes of it."""
    if len(data) > LONGEST:
        raise cbor.malformed()
    found = cbor.mapping(cbor.decode(data))
    try:
        event = _read(found)
        again = event.encode()
    except (ValueError, IndexError, ProfileViolation) as error:
        raise cbor.malformed() from error
    if again != data:
        raise cbor.malformed()
    return event


def scan_id(device_id: UUID, seq: int) -> UUID:
    """Return the name of a tablet's entry: the first 16 bytes of SHA-256(device id ‖ seq in 4 bytes), as version 8."""
    digest = hashlib.sha256(device_id.bytes + seq.to_bytes(4, "big")).digest()
    number = int.from_bytes(digest[:16], "big")
    # Version and variant of RFC 9562, 5.8; the standard library of Python 3.11 does not know version 8 yet.
    return UUID(int=number & ~(0xF << 76 | 0x3 << 62) | 8 << 76 | 2 << 62)


def commitment(salt: bytes, secret: bytes | None) -> bytes:
    """Return what stands for the pass in an entry: SHA-256(salt ‖ SHA-256(secret)), or of zeros where none was read."""
    return hashlib.sha256(salt + (hashlib.sha256(secret).digest() if secret is not None else bytes(32))).digest()


def sign(data: bytes, key: SigningKey) -> bytes:
    """Return r ‖ s, 64 bytes, as WebCrypto makes them. Raises KeyUnavailable."""
    r, s = decode_dss_signature(key.sign(data, hash=hashes.SHA256()))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def holds(data: bytes, signature: bytes, public_key: ec.EllipticCurvePublicKey) -> bool:
    """Say whether the tablet's key signed these bytes."""
    if len(signature) != 2 * _HALF:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        public_key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def tick(last: int, wall_ms: int) -> int:
    """Return the next value of a hybrid logical clock: the wall's time, or one more than the last when that is ahead.

    A clock that is set back so cannot put a later scan before an earlier one.
    """
    return max(last + 1, wall_ms << 16)


def _read(found: dict[int, Cbor]) -> ScanEvent:
    def number(key: int) -> int:
        return cbor.natural(found.get(key))

    def name(key: int) -> UUID:
        return UUID(bytes=cbor.octets(found.get(key), 16))

    return ScanEvent(
        name(1),
        number(2),
        cbor.octets(found.get(3), _HALF),
        name(4),
        int.from_bytes(cbor.octets(found.get(5), 8), "big"),
        number(6),
        number(7),
        number(8),
        number(9),
        cbor.octets(found.get(10), _HALF),
        name(11),
        Direction(number(12)),
        OUTCOMES[number(13)],
        REASONS[number(14)],
        number(15),
        number(16) if 16 in found else None,
        EventFlags(number(17)),
        name(18) if 18 in found else None,
        Face(number(19)) if 19 in found else None,
    )
