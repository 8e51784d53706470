"""Certification requests (PKCS#10): read, checked for possession of the key, and reduced to that key.

The subject and the extensions of a request are ignored on purpose: a certificate says what the registry says.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from pki import oids
from pki.errors import CsrRejected
from pki.keys import PublicKey
from pki.keys.signing import CURVES, read_spki

MAXIMUM_SIZE: Final = 16 * 1024
_RSA_BITS: Final = range(2048, 8193)
_RSA_EXPONENTS: Final = range(65537, 2**32)
# What stands before the coordinates of a point on P-256 that is not compressed (RFC 5480).
_P256_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_ECDSA: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)


class CsrFault(StrEnum):
    """Why a request is rejected."""

    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    BAD_SIGNATURE = "bad_signature"
    WEAK_DIGEST = "weak_digest"
    KEY_NOT_ALLOWED = "key_not_allowed"
    WRONG_CHALLENGE = "wrong_challenge"


@dataclass(frozen=True)
class CertificateRequest:
    """What remains of a request: a key whose private half the requester has."""

    public_key: PublicKey
    # DER of SubjectPublicKeyInfo, and its SHA-256 in lower-case hex.
    spki_der: bytes
    spki_sha256: str


def parse(csr: bytes) -> CertificateRequest:
    """Return the key of a request in DER or PEM, at most 16 KB. Raises CsrRejected (RFC 2986; EN 319 411-1, 6.2.2)."""
    return _reduce(_read(csr))


def parse_with_challenge(csr: bytes, challenge: str) -> CertificateRequest:
    """As `parse`, for a request that must carry `challenge` in its challengePassword (RFC 2985, 5.4.1).

    The challenge is ours, random and used once: without it, a request overheard from somebody else would prove
    possession for whoever sends it.
    """
    request = _read(csr)
    try:
        attribute = request.attributes.get_attribute_for_oid(x509.ObjectIdentifier(oids.CHALLENGE_PASSWORD))
    except (x509.AttributeNotFound, ValueError) as error:
        raise CsrRejected(CsrFault.WRONG_CHALLENGE) from error
    if not hmac.compare_digest(attribute.value, challenge.encode()):
        raise CsrRejected(CsrFault.WRONG_CHALLENGE)
    return _reduce(request)


def check_key(public_key: object) -> PublicKey:
    """Return the key if we certify its kind: P-256, P-384, or RSA of 2048 to 8192 bits. Raises CsrRejected."""
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name in CURVES:
        return public_key
    if isinstance(public_key, rsa.RSAPublicKey):
        fits = public_key.key_size in _RSA_BITS and public_key.public_numbers().e in _RSA_EXPONENTS
        if fits:
            return public_key
    raise CsrRejected(CsrFault.KEY_NOT_ALLOWED)


def key_of_spki(spki_der: bytes) -> CertificateRequest:
    """Return the key of a SubjectPublicKeyInfo whose possession was proven elsewhere. Raises CsrRejected."""
    try:
        public_key = check_key(read_spki(spki_der))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CsrRejected(CsrFault.UNREADABLE) from error
    if spki_der.startswith(_P256_SPKI) and len(spki_der) == len(_P256_SPKI) + 64:
        # What was read can be written in this form only: no need to write it again.
        return CertificateRequest(public_key, spki_der, hashlib.sha256(spki_der).hexdigest())
    return _request(public_key)


def _read(csr: bytes) -> x509.CertificateSigningRequest:
    if len(csr) > MAXIMUM_SIZE:
        raise CsrRejected(CsrFault.TOO_LARGE)
    try:
        if csr.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_csr(csr)
        return x509.load_der_x509_csr(csr)
    except ValueError as error:
        raise CsrRejected(CsrFault.UNREADABLE) from error


def _reduce(request: x509.CertificateSigningRequest) -> CertificateRequest:
    try:
        public_key = check_key(request.public_key())
        digest = request.signature_hash_algorithm
        if not isinstance(digest, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
            raise CsrRejected(CsrFault.WEAK_DIGEST)
        valid = _is_signed(request, public_key, digest)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CsrRejected(CsrFault.UNREADABLE) from error
    if not valid:
        raise CsrRejected(CsrFault.BAD_SIGNATURE)
    return _request(public_key)


def _is_signed(
    request: x509.CertificateSigningRequest,
    public_key: PublicKey,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512,
) -> bool:
    if isinstance(public_key, rsa.RSAPublicKey):
        return request.is_signature_valid
    # As `is_signature_valid` would, without reading the key a second time.
    try:
        public_key.verify(request.signature, request.tbs_certrequest_bytes, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return request.signature_algorithm_oid in _ECDSA


def _request(public_key: PublicKey) -> CertificateRequest:
    spki = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return CertificateRequest(public_key, spki, hashlib.sha256(spki).hexdigest())
