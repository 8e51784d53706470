"""OCSP at the speed of the hot path: the request that everybody sends, and answers put together from constant parts.

What is not of the common form goes through `pki.ocsp`, which reads everything; both make the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from app.status.answer_file import GOOD, REVOKED
from pki import der, oids
from pki.authority import Issuer
from pki.keys import signature_algorithm
from pki.ocsp import HashName, IssuerId, issuer_id

# Of the heads of list, Request and CertID, and of algorithm and both hashes by SHA-1.
_PREFIX_AT: Final = 6
_PREFIX_SIZE: Final = 55
_LONGEST_SERIAL: Final = 20
_BEFORE_NONCE: Final = der.oid(oids.OCSP_NONCE)
# One octet in its own OCTET STRING.
_SHORTEST_NONCE: Final = 3


class Said(NamedTuple):
    """A status and its times, in seconds since 1970; `revoked_at` and `reason` are 0 unless it is REVOKED."""

    status: int
    reason: int
    revoked_at: int
    this_update: int
    next_update: int


class Quick(NamedTuple):
    """What a request of the common form asks: what its CertID begins with, the serial number, the nonce as it was."""

    prefix: bytes
    serial: bytes
    nonce: bytes | None


def quick(request_der: bytes) -> Quick | None:
    """Return what a request asks that is for one certificate by SHA-1, with a nonce or no extension at all.

    None for every other form, also for what cannot be read: `pki.ocsp.parse_request` then says which.
    """
    # 1. OCSPRequest and TBSRequest each reach to the end; their lengths have one octet, or two past 127.
    size = len(request_der)
    at = 0
    for _ in range(2):
        head = _head(size - at)
        if head is None or not request_der.startswith(head, at):
            return None
        at += len(head)
    # 2. The list holds one Request with nothing but a CertID.
    if size < at + _PREFIX_AT + _PREFIX_SIZE + 3:
        return None
    serial_at = at + _PREFIX_AT + _PREFIX_SIZE + 2
    serial_size = request_der[serial_at - 1]
    end, inner = serial_at + serial_size, _PREFIX_SIZE + 2 + serial_size
    if serial_size > _LONGEST_SERIAL or end > size or request_der[serial_at - 2] != der.INTEGER:
        return None
    if request_der[at : at + _PREFIX_AT] != bytes((0x30, inner + 4, 0x30, inner + 2, 0x30, inner)):
        return None
    # A zero in front is either not DER or not a number of ours, and ours are positive: for the careful reader.
    if not serial_size or not 0 < request_der[serial_at] < 0x80:
        return None
    # 3. Nothing else, or a nonce.
    nonce = None
    if end != size:
        value_at = end + len(_BEFORE_NONCE) + 8
        rest = size - end
        if rest > 0x7F or size < value_at + _SHORTEST_NONCE or request_der[end:value_at] != _nonce_head(rest):
            return None
        nonce = request_der[value_at:]
    return Quick(request_der[at + _PREFIX_AT : serial_at - 2], request_der[serial_at:end], nonce)


@lru_cache(maxsize=512)
def _head(left: int) -> bytes | None:
    """Return tag and length of a SEQUENCE that is `left` octets long with them."""
    if 2 <= left < 0x82:
        return bytes((0x30, left - 2))
    return bytes((0x30, 0x81, left - 3)) if 0x83 <= left < 0x103 else None


@lru_cache(maxsize=128)
def _nonce_head(left: int) -> bytes:
    """Return what stands before the value of a nonce in extensions of `left` octets (RFC 6960, 4.1.1, RFC 9654)."""
    sizes = (0xA2, left - 2, 0x30, left - 4, 0x30, left - 6)
    return bytes(sizes) + _BEFORE_NONCE + bytes((der.OCTET_STRING, left - 8 - len(_BEFORE_NONCE)))


def prefix_of(issuer: IssuerId) -> bytes:
    """Return what stands before the serial number in a CertID by SHA-1."""
    algorithm = der.sequence(der.oid(oids.SHA1), der.NULL)
    return algorithm + der.octet_string(issuer.name_hash) + der.octet_string(issuer.key_hash)


class Composer:
    """Makes the answers of one responder; everything that does not change is encoded once."""

    def __init__(self, responder: Issuer, sha256: bytes) -> None:
        """`sha256` is the digest of the responder's certificate, by which a file of answers names it."""
        algorithm = signature_algorithm(responder.key.public_key)
        self.sha256 = sha256
        self._key, self._hash = responder.key, algorithm.hash
        self._name = der.explicit(2, der.octet_string(_key_hash(responder)))
        self._after_signature = der.explicit(0, der.sequence(responder.certificate_der))
        self._algorithm = algorithm.der
        self._around = lru_cache(maxsize=512)(self._make_around)
        self._wrapping = lru_cache(maxsize=512)(self._make_wrapping)

    def to_be_signed(self, prefix: bytes, serial: bytes, said: Said, nonce: bytes | None = None) -> bytes:
        """Return the ResponseData for one certificate; `serial` is the content of the INTEGER."""
        if nonce is None:
            head, tail = self._around(prefix, len(serial), said, None)
            return head + serial + tail
        head, tail = self._around(prefix, len(serial), said, len(nonce))
        return b"".join((head, serial, tail, nonce))

    def to_be_signed_for(self, singles: Sequence[tuple[bytes, Said]], nonce: bytes | None) -> bytes:
        """Return the ResponseData for several certificates, each by its whole CertID; produced when the first says."""
        answers = (
            der.sequence(cert_id, _status(said), _time(said.this_update), der.explicit(0, _time(said.next_update)))
            for cert_id, said in singles
        )
        extensions = der.explicit(1, der.sequence(der.extension(oids.OCSP_NONCE, nonce))) if nonce is not None else b""
        return der.sequence(self._name, _time(singles[0][1].this_update), der.sequence(*answers), extensions)

    def sign(self, data: bytes) -> bytes:
        """Raises KeyUnavailable."""
        return self._key.sign(data, hash=self._hash)

    def response(self, data: bytes, signature: bytes) -> bytes:
        """Return the OCSPResponse around ResponseData and its signature."""
        before, between = self._wrapping(len(data), len(signature))
        return b"".join((before, data, between, signature, self._after_signature))

    def _make_around(self, prefix: bytes, size: int, said: Said, nonce_size: int | None) -> tuple[bytes, bytes]:
        # What surrounds the serial number comes out the same whatever its octets are; so it does before the nonce,
        # which stands at the very end.
        cert_id = der.sequence(prefix, der.encode(der.INTEGER, b"\x01" * size))
        data = self.to_be_signed_for([(cert_id, said)], bytes(nonce_size) if nonce_size is not None else None)
        at = data.index(cert_id) + len(cert_id)
        return data[: at - size], data[at : len(data) - (nonce_size or 0)]

    def _make_wrapping(self, data_size: int, signature_size: int) -> tuple[bytes, bytes]:
        data, signature = bytes(data_size), bytes(signature_size)
        basic = der.sequence(data, self._algorithm, der.bit_string(signature), self._after_signature)
        body = der.sequence(der.oid(oids.OCSP_BASIC), der.octet_string(basic))
        whole = der.sequence(der.integer(0, der.ENUMERATED), der.explicit(0, body))
        tail = len(self._after_signature) + signature_size
        between = whole[len(whole) - tail - _bit_string_head(signature_size) - len(self._algorithm) : len(whole) - tail]
        return whole[: len(whole) - tail - len(between) - data_size], between


def _bit_string_head(size: int) -> int:
    return len(der.bit_string(bytes(size))) - size


def _status(said: Said) -> bytes:
    if said.status == GOOD:
        return der.encode(0x80)
    if said.status != REVOKED:
        return der.encode(0x82)
    reason = der.explicit(0, der.integer(said.reason, der.ENUMERATED)) if said.reason else b""
    return der.encode(0xA1, _time(said.revoked_at), reason)


@lru_cache(maxsize=4096)
def _time(seconds: int) -> bytes:
    return der.generalized_time(datetime.fromtimestamp(seconds, UTC))


def _key_hash(responder: Issuer) -> bytes:
    return issuer_id(responder.certificate_der, HashName.SHA1).key_hash
