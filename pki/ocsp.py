"""OCSP requests read and answers made, with any number of CertIDs up to twenty (RFC 6960, RFC 5019, RFC 9654)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pki import der, oids
from pki.authority import Issuer, spki
from pki.errors import OcspMalformed
from pki.keys import signature_algorithm
from pki.revocation import RevocationReason

MAXIMUM_SIZE: Final = 4 * 1024
MAXIMUM_CERT_IDS: Final = 20
# RFC 9654, 2.1.
_NONCE_LENGTHS: Final = range(1, 129)


class HashName(StrEnum):
    """The hashes that a CertID may use; SHA-1 only names an issuer here, it protects nothing."""

    SHA1 = "sha1"
    SHA256 = "sha256"


_HASHES: Final = {oids.SHA1: HashName.SHA1, oids.SHA256: HashName.SHA256}
_LENGTHS: Final = {HashName.SHA1: 20, HashName.SHA256: 32}


@dataclass(frozen=True)
class IssuerId:
    """An issuer as a CertID names it."""

    hash_name: HashName
    name_hash: bytes
    key_hash: bytes


@dataclass(frozen=True)
class CertId:
    """A certificate asked about. `issuer` is None when the hash is one that nobody here uses."""

    issuer: IssuerId | None
    serial_number: int
    # As it stood in the request, to be repeated byte for byte in the answer.
    der: bytes


@dataclass(frozen=True)
class OcspRequest:
    """A request as read; `nonce` is the whole DER value of the extension, None when there was none."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None


class CertStatus(StrEnum):
    """RFC 6960, 2.2."""

    GOOD = "good"
    REVOKED = "revoked"
    # Never issued here, or not yet: clients must not take it for good, and must not look elsewhere either.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SingleStatus:
    """The answer about one certificate; the last two are for REVOKED alone."""

    cert_id: CertId
    status: CertStatus
    revocation_time: datetime | None = None
    reason: RevocationReason | None = None


class OcspError(IntEnum):
    """OCSPResponseStatus of RFC 6960, 4.2.1; these answers are not signed."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


def issuer_id(certificate_der: bytes, hash_name: HashName) -> IssuerId:
    """Return how a CertID with `hash_name` names the issuer whose certificate this is (RFC 6960, 4.1.1)."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    return IssuerId(
        hash_name, _digest(hash_name, certificate.subject.public_bytes()), _digest(hash_name, _key_bits(certificate))
    )


def parse_request(request_der: bytes) -> OcspRequest:
    """Return the request, at most 4 KB and twenty CertIDs. Raises OcspMalformed.

    A signature on the request is ignored, as 4.1.2 allows; unknown extensions that are not critical too.
    """
    if len(request_der) > MAXIMUM_SIZE:
        raise OcspMalformed(f"over {MAXIMUM_SIZE} bytes")
    try:
        return _parse(request_der)
    except (ValueError, IndexError) as error:
        raise OcspMalformed("not an OCSPRequest") from error


def build_response(
    statuses: Sequence[SingleStatus], *, responder: Issuer, now: datetime, lifetime: timedelta, nonce: bytes | None
) -> bytes:
    """Return a signed, successful OCSPResponse in DER with one SingleResponse for each status, in their order.

    `responder` is the delegated certificate and its key; the certificate is embedded. thisUpdate and producedAt are
    `now`, nextUpdate `now + lifetime`. `nonce` is `OcspRequest.nonce`, repeated as it was. Raises KeyUnavailable.
    """
    algorithm = signature_algorithm(responder.key.public_key)
    key_hash = _digest(HashName.SHA1, _key_bits(responder.certificate))
    singles = [_single(status, now, now + lifetime) for status in statuses]
    extensions = der.explicit(1, der.sequence(der.extension(oids.OCSP_NONCE, nonce))) if nonce is not None else b""
    data = der.sequence(
        der.explicit(2, der.octet_string(key_hash)), der.generalized_time(now), der.sequence(*singles), extensions
    )
    basic = der.sequence(
        data,
        algorithm.der,
        der.bit_string(responder.key.sign(data)),
        der.explicit(0, der.sequence(responder.certificate_der)),
    )
    body = der.sequence(der.oid(oids.OCSP_BASIC), der.octet_string(basic))
    return der.sequence(der.integer(0, der.ENUMERATED), der.explicit(0, body))


def error_response(error: OcspError) -> bytes:
    """Return an unsigned OCSPResponse that says only what went wrong."""
    return der.sequence(der.integer(error, der.ENUMERATED))


def _parse(request_der: bytes) -> OcspRequest:
    request = der.read(request_der).expect(der.SEQUENCE).children()
    if not 1 <= len(request) <= 2:
        raise der.DerError("OCSPRequest has one or two parts")
    parts = request[0].expect(der.SEQUENCE).children()
    # version [0] (only v1 exists) and requestorName [1] say nothing that an answer depends on.
    while parts and parts[0].tag in {0xA0, 0xA1}:
        parts.pop(0)
    requests = parts.pop(0).expect(der.SEQUENCE).children()
    if not 1 <= len(requests) <= MAXIMUM_CERT_IDS:
        raise der.DerError(f"from 1 to {MAXIMUM_CERT_IDS} certificates may be asked about")
    nonce = _nonce(parts.pop(0).expect(0xA2)) if parts else None
    if parts:
        raise der.DerError("something follows the extensions")
    return OcspRequest(tuple(_cert_id(one.expect(der.SEQUENCE).children()[0]) for one in requests), nonce)


def _cert_id(element: der.Element) -> CertId:
    algorithm, name_hash, key_hash, serial = element.expect(der.SEQUENCE).children()
    hash_name = _HASHES.get(algorithm.expect(der.SEQUENCE).children()[0].as_oid())
    name, key = (part.expect(der.OCTET_STRING).body for part in (name_hash, key_hash))
    issuer = IssuerId(hash_name, name, key) if hash_name else None
    if hash_name and (len(name), len(key)) != (_LENGTHS[hash_name],) * 2:
        raise der.DerError("a hash of the wrong length")
    return CertId(issuer, serial.as_integer(), element.der)


def _nonce(tagged: der.Element) -> bytes | None:
    (extensions,) = tagged.children()
    found = None
    for extension in extensions.expect(der.SEQUENCE).children():
        identifier, *rest = extension.expect(der.SEQUENCE).children()
        value = rest[-1].expect(der.OCTET_STRING).body
        if identifier.as_oid() == oids.OCSP_NONCE:
            # RFC 9654: an OCTET STRING inside the extension's OCTET STRING. Old clients send the bytes bare.
            if len(value) - 2 not in _NONCE_LENGTHS and len(value) - 3 not in _NONCE_LENGTHS:
                raise der.DerError("a nonce has 1 to 128 octets")
            found = value
        elif len(rest) == 2 and rest[0].der == der.TRUE:
            raise der.DerError("a critical extension that is not known here")
    return found


def _single(status: SingleStatus, this_update: datetime, next_update: datetime) -> bytes:
    return der.sequence(
        status.cert_id.der,
        _status(status),
        der.generalized_time(this_update),
        der.explicit(0, der.generalized_time(next_update)),
    )


def _status(status: SingleStatus) -> bytes:
    if status.status is CertStatus.GOOD:
        return der.encode(0x80)
    if status.status is CertStatus.UNKNOWN:
        return der.encode(0x82)
    if status.revocation_time is None:
        raise OcspMalformed("a revoked status needs its time")
    reason = b""
    if status.reason not in {None, RevocationReason.UNSPECIFIED}:
        reason = der.explicit(0, der.integer(int(status.reason or 0), der.ENUMERATED))
    return der.encode(0xA1, der.generalized_time(status.revocation_time), reason)


def _key_bits(certificate: x509.Certificate) -> bytes:
    # The BIT STRING's value alone, without tag, length and the count of unused bits (RFC 6960, 4.1.1).
    return der.read(spki(certificate.public_key())).children()[1].expect(der.BIT_STRING).body[1:]


def _digest(hash_name: HashName, data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA1() if hash_name is HashName.SHA1 else hashes.SHA256())  # noqa: S303  see HashName
    digest.update(data)
    return digest.finalize()
