"""The CMS object inside a PAdES signature (RFC 5652, ETSI EN 319 142-1), written by us to the byte.

The signed attributes are exactly three, four with a commitment, so that a browser can parse them strictly and show
that it signs nothing else.
Encoded by hand: a general encoder takes ten times as long as everything else in a signature (measured).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from pki import der, oids
from pki.errors import SignatureMismatch

_P256_RAW_LENGTH: Final = 64
_VERSION_1: Final = der.integer(1)
_DATA: Final = der.oid(oids.DATA)
# Parameters are absent (RFC 5754, 2), in a timestamp request NULL as every client writes it.
_SHA256: Final = der.sequence(der.oid(oids.SHA256))
_SHA256_NULL: Final = der.sequence(der.oid(oids.SHA256), der.NULL)


class Commitment(StrEnum):
    """What a signer commits to (ETSI EN 319 122-1, 5.2.3)."""

    ORIGIN = oids.PROOF_OF_ORIGIN
    RECEIPT = oids.PROOF_OF_RECEIPT
    APPROVAL = oids.PROOF_OF_APPROVAL


def signed_attributes(document_digest: bytes, certificate_der: bytes, *, commitment: Commitment | None = None) -> bytes:
    """Return the DER SET OF (tag 0x31) that the signer signs: content type, digest, own certificate.

    Only with `commitment` a fourth one that says what the signature means. No signingTime: PAdES keeps the claimed
    time in the /M entry (EN 319 142-1, 6.3).
    """
    # SigningCertificateV2 with one ESSCertIDv2, its hash being the default (RFC 5035, 3).
    certificate = der.sequence(der.sequence(der.sequence(der.octet_string(hashlib.sha256(certificate_der).digest()))))
    attributes = [
        _attribute(oids.CONTENT_TYPE, _DATA),
        _attribute(oids.MESSAGE_DIGEST, der.octet_string(document_digest)),
        _attribute(oids.SIGNING_CERTIFICATE_V2, certificate),
    ]
    if commitment is not None:
        attributes.append(_attribute(oids.COMMITMENT_TYPE, der.sequence(der.oid(commitment.value))))
    return der.encode(der.SET, *sorted(attributes))


def _attribute(dotted: str, value: bytes) -> bytes:
    return der.sequence(der.oid(dotted), der.encode(der.SET, value))


def encode_signature_value(signature_value: bytes) -> bytes:
    """Return DER for an ECDSA P-256 value in either form; WebCrypto gives r and s, 32 bytes each."""
    if len(signature_value) != _P256_RAW_LENGTH:
        return signature_value
    half = _P256_RAW_LENGTH // 2
    return encode_dss_signature(
        int.from_bytes(signature_value[:half], "big"), int.from_bytes(signature_value[half:], "big")
    )


def check_signature(signature_value: bytes, signed: bytes, certificate_der: bytes) -> None:
    """Verify a DER value over `signed` with the certificate's key. Raises SignatureMismatch."""
    key = _key(certificate_der)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature_value, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature_value, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise SignatureMismatch
    except InvalidSignature as error:
        raise SignatureMismatch from error


def signed_data(
    signature_value: bytes,
    *,
    attributes_der: bytes,
    certificate_der: bytes,
    chain_der: Sequence[bytes],
    timestamp_token_der: bytes | None,
) -> bytes:
    """Return the DER ContentInfo: signer, certificate and chain, and the timestamp of the value if there is one.

    Raises SignatureMismatch for a certificate that cannot be read.
    """
    issuer_and_serial, algorithm = _signer_of(certificate_der)
    parts = [
        _VERSION_1,
        issuer_and_serial,
        _SHA256,
        # Signed as a SET, written under [0] (RFC 5652, 5.4).
        b"\xa0" + attributes_der[1:],
        algorithm,
        der.octet_string(signature_value),
    ]
    if timestamp_token_der is not None:
        parts.append(der.explicit(1, _attribute(oids.SIGNATURE_TIME_STAMP, timestamp_token_der)))
    content = der.sequence(
        _VERSION_1,
        der.encode(der.SET, _SHA256),
        der.sequence(_DATA),
        der.explicit(0, *sorted({certificate_der, *chain_der})),
        der.encode(der.SET, der.sequence(*parts)),
    )
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, content))


@lru_cache(maxsize=1024)
def _signer_of(certificate_der: bytes) -> tuple[bytes, bytes]:
    """Return IssuerAndSerialNumber and the AlgorithmIdentifier of a SHA-256 signature by the certificate's key."""
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
    except ValueError as error:
        raise SignatureMismatch from error
    named = der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number))
    if isinstance(certificate.public_key(), rsa.RSAPublicKey):
        return named, der.sequence(der.oid(oids.SHA256_WITH_RSA), der.NULL)
    return named, der.sequence(der.oid(oids.ECDSA_WITH_SHA256))


@lru_cache(maxsize=1024)
def _key(certificate_der: bytes) -> object:
    try:
        return x509.load_der_x509_certificate(certificate_der).public_key()
    except ValueError as error:
        raise SignatureMismatch from error


def timestamp_request(signature_value: bytes, *, nonce: int) -> bytes:
    """Return a DER TimeStampReq over the SHA-256 of a signature value (RFC 3161, 2.4.1), certificate asked for."""
    return timestamp_request_of(hashlib.sha256(signature_value).digest(), nonce=nonce)


def timestamp_request_of(digest: bytes, *, nonce: int) -> bytes:
    """Return a DER TimeStampReq over a SHA-256 digest, certificate asked for."""
    imprint = der.sequence(_SHA256_NULL, der.octet_string(digest))
    return der.sequence(_VERSION_1, imprint, der.integer(nonce), der.TRUE)
