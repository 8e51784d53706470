"""OCSP at the speed of the hot path: the request that everybody sends, and answers put together from constant parts.

What is not of the common form goes through `pki.ocsp`, which reads everything; both make the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from app.status.answer_file import GOOD, REVOKED
from pki import der, oids
from pki.authority import Issuer
from pki.keys import signature_algorithm
from pki.ocsp import HashName, IssuerId, issuer_id

_PREFIX: Final = slice(10, 65)
_SERIAL_AT: Final = 67


@dataclass(frozen=True, slots=True)
class Said:
    """A status and its times, in seconds since 1970; `revoked_at` and `reason` are 0 unless it is REVOKED."""

    status: int
    reason: int
    revoked_at: int
    this_update: int
    next_update: int


def quick(request_der: bytes) -> tuple[bytes, bytes] | None:
    """Return what names the issuer, and the serial number, of a request for one certificate by SHA-1 without a nonce.

    None for every other form, also for what cannot be read: `pki.ocsp.parse_request` then says which.
    """
    size = len(request_der)
    if not _SERIAL_AT < size < 0x82 or request_der[0] != 0x30 or request_der[1] != size - 2:
        return None
    head = bytes((0x30, size - 2, 0x30, size - 4, 0x30, size - 6, 0x30, size - 8, 0x30, size - 10))
    if request_der[:10] != head or request_der[65] != 2 or request_der[66] != size - _SERIAL_AT:
        return None
    # A zero in front is either not DER or not a number of ours, and ours are positive: for the careful reader.
    if not 0 < request_der[_SERIAL_AT] < 0x80:
        return None
    return request_der[_PREFIX], request_der[_SERIAL_AT:]


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
        head, tail = self._around(prefix, len(serial), said)
        if nonce is None:
            return head + serial + tail
        return self.to_be_signed_for([(der.sequence(prefix, der.encode(der.INTEGER, serial)), said)], nonce)

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

    def _make_around(self, prefix: bytes, size: int, said: Said) -> tuple[bytes, bytes]:
        # Everything before the serial number comes out the same whatever its octets are.
        marker = b"\x01" * size
        cert_id = der.sequence(prefix, der.encode(der.INTEGER, marker))
        data = self.to_be_signed_for([(cert_id, said)], None)
        at = data.index(cert_id) + len(cert_id)
        return data[: at - size], data[at:]

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
