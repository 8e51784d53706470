"""What a pass says, in the fewest bytes that a general COSE library still reads (RFC 8392, RFC 8949 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import ProfileViolation
from pki.passes import cbor, cose

SECRET_LENGTH: Final = 16
_NBF: Final = 5
_CTI: Final = 7
# Integers under -65536 are for private use (RFC 8392, 9.1.1).
_PRIVATE: Final = -65537
# Upper bounds keep the longest pass at 128 bytes: 312 digits, the most that a version 9 symbol takes at level Q.
_BOUNDS: Final = {
    "seconds": 0xFFFFFFFF,
    "minutes": 0xFFFF,
    "meeting": 0xFFFFFFFF,
    "status_index": 0xFFFFFFFF,
    "zones": 0xFF,
    # Flags that a reader does not know yet tell it nothing and refuse nobody.
    "flags": 0x0F,
    "slot": 23,
}


class PassFlags(IntFlag):
    """What a guard should know without asking."""

    NONE = 0
    NEEDS_ASSISTANCE = 1
    COMPANION = 2
    # A gate without network may let in although another gate may have done so (`lease.Policy`).
    LENIENT = 4
    # Opens a gate only with a code of this moment (`rotating`).
    ROTATING = 8


@dataclass(frozen=True)
class PassClaims:
    """The claims of a pass. Nothing here names a person."""

    # `nbf`, whole seconds, UTC.
    not_before: datetime
    # From `not_before`, in whole minutes up to 65,535; `exp` is their sum.
    validity: timedelta
    # `cti`: 16 random bytes, the secret of the pass.
    pass_id: bytes
    # Number of the meeting, up to 2^32 - 1.
    meeting: int
    # Place in the status list.
    status_index: int
    # Bit set of zones of the building beyond its entrance, up to 255; 0 is the entrance alone.
    zones: int = 0
    flags: PassFlags = PassFlags.NONE
    # Which of several entries this pass is for (a day of a congress), up to 23.
    slot: int = 0

    @property
    def not_after(self) -> datetime:
        """`exp`."""
        return self.not_before + self.validity

    def encode(self) -> bytes:
        """Return the canonical CBOR. Raises ProfileViolation if a claim is out of its bounds."""
        minutes, rest = divmod(self.validity, timedelta(minutes=1))
        values = {
            "seconds": int(self.not_before.timestamp()),
            "minutes": minutes,
            "meeting": self.meeting,
            "status_index": self.status_index,
            "zones": self.zones,
            "flags": int(self.flags),
            "slot": self.slot,
        }
        outside = [name for name, value in values.items() if not 0 <= value <= _BOUNDS[name]]
        if outside or rest or minutes == 0 or len(self.pass_id) != SECRET_LENGTH or self.not_before.microsecond:
            raise ProfileViolation(f"a pass cannot say this: {', '.join(outside) or 'time or secret'}")
        seconds, *private = values.values()
        return cbor2.dumps({_NBF: seconds, _CTI: self.pass_id, _PRIVATE: private}, canonical=True)


def decode(payload: bytes) -> PassClaims:
    """Return the claims. Raises PassRejected(MALFORMED) unless `payload` is exactly what `encode` makes of them.

    So there is one writing of a pass: no other order, length form, repeated key or byte at the end is read.
    """
    found = cbor.mapping(cbor.decode(payload))
    private = [cbor.natural(one) for one in cbor.array(found.get(_PRIVATE), 6)]
    minutes, meeting, status_index, zones, flags, slot = private
    claims = PassClaims(
        datetime.fromtimestamp(cbor.natural(found.get(_NBF)), UTC),
        timedelta(minutes=minutes),
        cbor.octets(found.get(_CTI), SECRET_LENGTH),
        meeting,
        status_index,
        zones,
        PassFlags(flags),
        slot,
    )
    try:
        again = claims.encode()
    except ProfileViolation as error:
        raise cbor.malformed() from error
    if again != payload:
        raise cbor.malformed()
    return claims


def verify(token: bytes, public_key: ec.EllipticCurvePublicKey) -> PassClaims:
    """Return the claims of a pass signed with this P-256 key, which must be trusted for its own reasons.

    Gates use `trust_list.TrustList.verify_pass`. Raises PassRejected: MALFORMED, BAD_SIGNATURE.
    """
    signed = cose.parse(token)
    cose.first_that_holds(signed, [public_key], lambda one: one)
    return decode(signed.payload)
