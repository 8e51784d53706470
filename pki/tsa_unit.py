"""The unit that makes timestamps: requests read strictly, tokens put together by hand (RFC 3161, RFC 5816, RFC 5652).

Everything about a unit that no request changes is encoded once. Reading tokens is `pki.tsa`. Not here: the clock's
health and the uniqueness of serial numbers; the process that holds the key answers for both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pki import der, oids
from pki.errors import TimestampRefused
from pki.keys import SigningKey, signature_algorithm

MAXIMUM_REQUEST: Final = 4096
_MAXIMUM_NONCE_BITS: Final = 256
# The name of the hash that an AlgorithmIdentifier begins with, and the octets of its digests.
_IMPRINTS: Final = {
    der.oid(oids.SHA256): ("sha256", 32),
    der.oid(oids.SHA384): ("sha384", 48),
    der.oid(oids.SHA512): ("sha512", 64),
}
_HASH_OIDS: Final = {"sha256": oids.SHA256, "sha384": oids.SHA384, "sha512": oids.SHA512}
_FALSE: Final = b"\x01\x01\x00"
_VERSION: Final = der.integer(1)
_GRANTED: Final = der.sequence(der.integer(0))
_TST_INFO: Final = der.oid(oids.TST_INFO)
_SIGNED_DATA: Final = der.oid(oids.SIGNED_DATA)


class TimestampFailure(StrEnum):
    """PKIFailureInfo as RFC 3161, 2.4.2 names it, in the spelling of asn1crypto; the last is only ours."""

    BAD_ALGORITHM = "bad_alg"
    BAD_REQUEST = "bad_request"
    BAD_DATA_FORMAT = "bad_data_format"
    TIME_NOT_AVAILABLE = "time_not_available"
    UNACCEPTED_POLICY = "unaccepted_policy"
    UNACCEPTED_EXTENSION = "unaccepted_extensions"
    SYSTEM_FAILURE = "system_failure"
    # A token that a client received and cannot accept; never sent.
    BAD_TOKEN = "bad_token"  # noqa: S105  a code, not a secret


# RFC 3161, 2.4.2. What is only ours is a failure of the system to anybody else.
_FAILURE_BITS: Final = {
    TimestampFailure.BAD_ALGORITHM: 0,
    TimestampFailure.BAD_REQUEST: 2,
    TimestampFailure.BAD_DATA_FORMAT: 5,
    TimestampFailure.TIME_NOT_AVAILABLE: 14,
    TimestampFailure.UNACCEPTED_POLICY: 15,
    TimestampFailure.UNACCEPTED_EXTENSION: 16,
    TimestampFailure.SYSTEM_FAILURE: 25,
    TimestampFailure.BAD_TOKEN: 25,
}


@dataclass(frozen=True)
class TimestampRequest:
    """A request as read."""

    # "sha256", "sha384" or "sha512".
    hash_algorithm: str
    imprint: bytes
    # Dotted OID the client insists on, or None.
    policy_oid: str | None
    nonce: int | None
    certificate_wanted: bool


@dataclass(frozen=True)
class TsaUnit:
    """A certificate for timestamps, its key, and what its tokens say of themselves."""

    certificate_der: bytes
    key: SigningKey = field(repr=False)
    # Issuers up to, and without, the root; sent when the client asks for certificates.
    chain_der: tuple[bytes, ...]
    policy_oid: str
    accuracy: timedelta = timedelta(seconds=1)

    @cached_property
    def constants(self) -> UnitConstants:
        """What every token of the unit shares, encoded. Raises ProfileViolation for a key of a kind not used here."""
        return _constants_of(self)


@dataclass(frozen=True)
class UnitConstants:
    """Parts of a token in DER, by where they stand."""

    # Of the digests of content and attributes, which is that of the signature.
    hash: hashes.HashAlgorithm
    hash_name: str
    # In TSTInfo: version and policy; accuracy.
    info_head: bytes
    accuracy: bytes
    # The signed attributes before and after the digest of TSTInfo.
    before_digest: bytes
    after_digest: bytes
    # SignerInfo before the attributes, and between them and the signature.
    signer_head: bytes
    signature_algorithm: bytes
    # SignedData before TSTInfo, and its certificates.
    signed_head: bytes
    certificates: bytes


def parse_request(request_der: bytes) -> TimestampRequest:
    """Read a TimeStampReq of at most 4 KB.

    Raises TimestampRefused: BAD_DATA_FORMAT (not DER, too long), BAD_REQUEST (version), BAD_ALGORITHM (hash not
    SHA-256/384/512, or an imprint of another length), UNACCEPTED_EXTENSION (any critical extension).
    """
    if len(request_der) > MAXIMUM_REQUEST:
        raise TimestampRefused(TimestampFailure.BAD_DATA_FORMAT)
    try:
        parts = der.read(request_der).expect(der.SEQUENCE).children()
        version, imprint = parts[0].as_integer(), parts[1].expect(der.SEQUENCE)
        algorithm, hashed = imprint.children()
        hash_oid = _algorithm(algorithm)
        digest = hashed.expect(der.OCTET_STRING).body
        policy, nonce, wanted, critical = _rest(parts[2:])
    except (der.DerError, ValueError, IndexError) as error:
        raise TimestampRefused(TimestampFailure.BAD_DATA_FORMAT) from error
    if version != 1 or (nonce is not None and abs(nonce).bit_length() > _MAXIMUM_NONCE_BITS):
        raise TimestampRefused(TimestampFailure.BAD_REQUEST)
    name, length = _IMPRINTS.get(hash_oid, ("", -1))
    if length != len(digest):
        raise TimestampRefused(TimestampFailure.BAD_ALGORITHM)
    if critical:
        raise TimestampRefused(TimestampFailure.UNACCEPTED_EXTENSION)
    return TimestampRequest(name, digest, policy, nonce, wanted)


def respond(request: TimestampRequest, *, unit: TsaUnit, serial_number: int, now: datetime) -> bytes:
    """Return a DER TimeStampResp with a signed token whose genTime is `now`, cut to whole seconds.

    `serial_number` must never have been used by this unit. The signature is made with SHA-256 for P-256 and RSA
    keys, SHA-384 for P-384. Raises TimestampRefused(UNACCEPTED_POLICY) if the client asks for another policy,
    KeyUnavailable.
    """
    if request.policy_oid not in (None, unit.policy_oid):
        raise TimestampRefused(TimestampFailure.UNACCEPTED_POLICY)
    constants = unit.constants
    # 1. TSTInfo (RFC 3161, 2.4.2).
    info = der.sequence(
        constants.info_head,
        _imprint_head(request.hash_algorithm),
        request.imprint,
        der.integer(serial_number),
        der.generalized_time(now),
        constants.accuracy,
        b"" if request.nonce is None else der.integer(request.nonce),
    )
    # 2. The signature covers the attributes as a SET, which stand in SignerInfo as [0] (RFC 5652, 5.4).
    digest = hashlib.new(constants.hash_name, info).digest()
    attributes = constants.before_digest + digest + constants.after_digest
    signature = unit.key.sign(der.encode(der.SET, attributes), hash=constants.hash)
    signer = der.sequence(
        constants.signer_head, der.explicit(0, attributes), constants.signature_algorithm, der.octet_string(signature)
    )
    # 3. SignedData in ContentInfo (RFC 5652, 3 and 5.1).
    signed = der.sequence(
        constants.signed_head,
        der.sequence(_TST_INFO, der.explicit(0, der.octet_string(info))),
        constants.certificates if request.certificate_wanted else b"",
        der.encode(der.SET, signer),
    )
    return der.sequence(_GRANTED, der.sequence(_SIGNED_DATA, der.explicit(0, signed)))


def refuse(failure: TimestampFailure) -> bytes:
    """Return a DER TimeStampResp that grants nothing and says why."""
    bit = _FAILURE_BITS[failure]
    # A named bit list ends with its last set bit (X.690, 11.2.2): so many bits of the last octet are unused.
    why = der.encode(der.BIT_STRING, bytes((7 - bit % 8,)), bytes(bit // 8), bytes((0x80 >> bit % 8,)))
    return der.sequence(der.sequence(der.integer(2), why))


def _algorithm(algorithm: der.Element) -> bytes:
    """Return the identifier of a hash; its parameters say nothing, be they NULL or absent (RFC 5754, 2)."""
    identifier, *parameters = algorithm.expect(der.SEQUENCE).children()
    if len(parameters) > 1:
        raise der.DerError("more than one parameter")
    identifier.as_oid()
    return identifier.der


def _rest(parts: list[der.Element]) -> tuple[str | None, int | None, bool, bool]:
    """Return policy, nonce, whether certificates are wanted, and whether an extension is critical; in this order."""
    policy, nonce, wanted, critical = None, None, False, False
    if parts and parts[0].tag == der.OBJECT_IDENTIFIER:
        policy = parts.pop(0).as_oid()
    if parts and parts[0].tag == der.INTEGER:
        nonce = parts.pop(0).as_integer()
    if parts and parts[0].tag == der.BOOLEAN:
        wanted = _boolean(parts.pop(0))
    if parts:
        extensions = parts.pop(0).expect(0xA0).children()
        # All of them are read, also those behind the first critical one.
        critical = sum(map(_is_critical, extensions)) > 0
    if parts:
        raise der.DerError("something follows the extensions")
    return policy, nonce, wanted, critical


def _is_critical(extension: der.Element) -> bool:
    identifier, *rest = extension.expect(der.SEQUENCE).children()
    identifier.as_oid()
    critical = len(rest) == 2 and _boolean(rest.pop(0))
    (value,) = rest
    value.expect(der.OCTET_STRING)
    return critical


def _boolean(element: der.Element) -> bool:
    # FALSE is the default of both, and DER leaves a default out; but there are clients that write it.
    if element.der not in (der.TRUE, _FALSE):
        raise der.DerError("not a BOOLEAN in DER")
    return element.der == der.TRUE


@cache
def _imprint_head(name: str) -> bytes:
    """Return what stands before the octets of the digest in MessageImprint."""
    algorithm = _digest_algorithm(name)
    size = hashlib.new(name).digest_size
    whole = der.sequence(algorithm, der.octet_string(bytes(size)))
    return whole[:-size]


def _digest_algorithm(name: str) -> bytes:
    return der.sequence(der.oid(_HASH_OIDS[name]), der.NULL)


def _constants_of(unit: TsaUnit) -> UnitConstants:
    algorithm = signature_algorithm(unit.key.public_key)
    name = algorithm.hash.name
    before, after = _attributes_around_digest(unit.certificate_der, algorithm.hash.digest_size)
    certificate = x509.load_der_x509_certificate(unit.certificate_der)
    seconds, rest = divmod(unit.accuracy, timedelta(seconds=1))
    millis = rest // timedelta(milliseconds=1)
    return UnitConstants(
        hash=algorithm.hash,
        hash_name=name,
        info_head=_VERSION + der.oid(unit.policy_oid),
        accuracy=der.sequence(der.integer(seconds), der.integer(millis, 0x80) if millis else b""),
        before_digest=before,
        after_digest=after,
        signer_head=b"".join(
            (
                _VERSION,
                der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number)),
                _digest_algorithm(name),
            )
        ),
        signature_algorithm=algorithm.der,
        # Version 3, since the content is not plain data (RFC 5652, 5.1).
        signed_head=der.integer(3) + der.encode(der.SET, _digest_algorithm(name)),
        certificates=der.explicit(0, *sorted((unit.certificate_der, *unit.chain_der))),
    )


def _attributes_around_digest(certificate_der: bytes, digest_size: int) -> tuple[bytes, bytes]:
    """Return the signed attributes before and after the value of messageDigest.

    A SET OF is sorted by its encoding (X.690, 11.6). The three differ in their lengths, so the digest moves none.
    """
    hashed = bytes(digest_size)
    # ESSCertIDv2 by SHA-256, which is its default and therefore left out (RFC 5816; RFC 5035, 4).
    identifier = der.sequence(der.octet_string(hashlib.sha256(certificate_der).digest()))
    attributes = {
        oids.CONTENT_TYPE: _TST_INFO,
        oids.MESSAGE_DIGEST: der.octet_string(hashed),
        oids.SIGNING_CERTIFICATE_V2: der.sequence(der.sequence(identifier)),
    }
    encoded = {kind: der.sequence(der.oid(kind), der.encode(der.SET, value)) for kind, value in attributes.items()}
    joined = b"".join(sorted(encoded.values()))
    end = joined.index(encoded[oids.MESSAGE_DIGEST]) + len(encoded[oids.MESSAGE_DIGEST])
    return joined[: end - digest_size], joined[end:]
