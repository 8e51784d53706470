"""COSE_Sign1 with ES256, untagged, in the one form that we write (RFC 9052, 4.2; RFC 9053, 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SigningKey
from pki.passes import cbor
from pki.passes.faults import PassFault

KID_LENGTH: Final = 4
LONGEST_PASS: Final = 128
# The only algorithm that we write (RFC 9053, 2.1).
ES256: Final = -7
_HALF: Final = 32

E = TypeVar("E")


@dataclass(frozen=True)
class Signed:
    """A message as read; nothing in it may be believed before its signature was checked."""

    kid: bytes
    protected: bytes
    payload: bytes
    # r and s, 32 bytes each.
    signature: bytes


def sign(payload: bytes, *, kid: bytes, key: SigningKey, context: bytes = b"") -> bytes:
    """Return the message. `kid` has 4 bytes, the key is on P-256. Raises ProfileViolation, KeyUnavailable.

    `context` is COSE's external_aad: signed, not sent. What is signed for one purpose never holds for another.
    """
    public = key.public_key
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != Curve.P256 or len(kid) != KID_LENGTH:
        raise ProfileViolation("a pass is signed with a P-256 key named by four bytes")
    protected = cbor2.dumps({1: ES256, 4: kid}, canonical=True)
    r, s = decode_dss_signature(key.sign(_to_be_signed(protected, payload, context), hash=hashes.SHA256()))
    signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return cbor2.dumps([protected, {}, payload, signature], canonical=True)


def parse(message: bytes) -> Signed:
    """Return the parts. Raises PassRejected(MALFORMED) unless `message` is in the one form that `sign` writes."""
    protected_value, unprotected, payload, signature = cbor.array(cbor.decode(message), 4)
    protected = cbor.octets(protected_value)
    header = cbor.mapping(cbor.decode(protected))
    if unprotected != {} or list(header) != [1, 4] or header[1] != ES256:
        raise cbor.malformed()
    kid = cbor.octets(header[4], KID_LENGTH)
    return Signed(kid, protected, cbor.octets(payload), cbor.octets(signature, 2 * _HALF))


def holds(signed: Signed, public_key: ec.EllipticCurvePublicKey, *, context: bytes = b"") -> bool:
    """Say whether `public_key` signed this for this `context`; the algorithm is ours, never the header's."""
    r, s = (int.from_bytes(half, "big") for half in (signed.signature[:_HALF], signed.signature[_HALF:]))
    try:
        public_key.verify(
            encode_dss_signature(r, s),
            _to_be_signed(signed.protected, signed.payload, context),
            ec.ECDSA(hashes.SHA256()),
        )
    except InvalidSignature:
        return False
    return True


def first_that_holds(
    signed: Signed,
    entries: Iterable[E],
    key_of: Callable[[E], ec.EllipticCurvePublicKey],
    *,
    context: bytes = b"",
) -> E:
    """Return the entry whose key signed. Four bytes may name two keys: all are tried (hcert specification, 3.3.3).

    Raises PassRejected(UNKNOWN_KEY) without entries, PassRejected(BAD_SIGNATURE) if none holds.
    """
    candidates = list(entries)
    if not candidates:
        raise PassRejected(PassFault.UNKNOWN_KEY)
    for entry in candidates:
        if holds(signed, key_of(entry), context=context):
            return entry
    raise PassRejected(PassFault.BAD_SIGNATURE)


def _to_be_signed(protected: bytes, payload: bytes, context: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, context, payload], canonical=True)
