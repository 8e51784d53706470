"""Roots from outside: reading the file that a person brings, and saying what is wrong with a root before it is trusted.

A root is a promise about everything below it, so a doubtful one is refused, not warned about. What a root is trusted
for, and by whose decision, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from pki.errors import PkiError

# A root has some 2 kB; a P7B of a national root with every authority below it some 100 kB.
LARGEST_FILE: Final = 512 * 1024
MOST_CERTIFICATES: Final = 100
_SMALLEST_RSA: Final = 2048
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_WEAK: Final = frozenset({"md2", "md4", "md5", "sha1"})
_KNOWN_CRITICAL: Final = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.NameConstraints,
    x509.PolicyConstraints,
    x509.CertificatePolicies,
    x509.InhibitAnyPolicy,
)
# What the library throws for certificates that are not as they should be.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


class RootFault(StrEnum):
    """Why a file, or the root in it, is not taken. Stable codes: pages and the command line translate them."""

    TOO_LARGE = "too_large"
    # A private key stands in the file: somebody sent what must never leave its holder.
    PRIVATE_KEY = "private_key"
    NOT_A_CERTIFICATE = "not_a_certificate"
    TOO_MANY = "too_many"
    NO_ROOT = "no_root"
    SEVERAL_ROOTS = "several_roots"
    # A certificate that does not lead to the root of the same file.
    STRANGER = "stranger"
    BAD_SIGNATURE = "bad_signature"
    NOT_AN_AUTHORITY = "not_an_authority"
    # keyUsage is there and lacks keyCertSign (RFC 5280, 4.2.1.3).
    MAY_NOT_CERTIFY = "may_not_certify"
    UNKNOWN_KEY = "unknown_key"
    WEAK_KEY = "weak_key"
    WEAK_DIGEST = "weak_digest"
    UNKNOWN_EXTENSION = "unknown_extension"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


class RootRefused(PkiError):
    """The file holds no root that may be trusted; `fault` says the first thing that is wrong."""

    def __init__(self, fault: RootFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True)
class RootFile:
    """One root; the authorities below it that came in the same file help to find paths and are trusted for nothing."""

    root_der: bytes
    below_der: tuple[bytes, ...] = ()


def read_root(content: bytes, *, now: datetime) -> RootFile:
    """Return the root in a file of PEM, DER or PKCS#7 (P7B, either form) after every check of this module.

    `now` is what its validity is measured against, both ends included. Raises RootRefused.
    """
    certificates = _read(content)
    roots = [one for one in certificates if one.issuer == one.subject]
    if not roots:
        raise RootRefused(RootFault.NO_ROOT)
    if len(roots) > 1:
        raise RootRefused(RootFault.SEVERAL_ROOTS)
    root = roots[0]
    check_root(root, now=now)
    below = [one for one in certificates if one is not root]
    if len(authorities_below(root, below)) != len(below):
        raise RootRefused(RootFault.STRANGER)
    return RootFile(_der(root), tuple(_der(one) for one in below))


def check_root(root: x509.Certificate, *, now: datetime) -> None:
    """Return if `root` may be trusted as far as its own content can say. Raises RootRefused with the first fault."""
    try:
        for fault, holds in (
            (RootFault.UNKNOWN_KEY, _has_known_key(root)),
            (RootFault.WEAK_KEY, _has_strong_key(root)),
            (RootFault.WEAK_DIGEST, _has_strong_digest(root)),
            (RootFault.BAD_SIGNATURE, is_issued_by(root, root)),
            (RootFault.NOT_AN_AUTHORITY, is_authority(root)),
            (RootFault.MAY_NOT_CERTIFY, _may_certify(root)),
            (RootFault.UNKNOWN_EXTENSION, _is_understood(root)),
            (RootFault.NOT_YET_VALID, now >= root.not_valid_before_utc),
            (RootFault.EXPIRED, now <= root.not_valid_after_utc),
        ):
            if not holds:
                raise RootRefused(fault)
    except UNREADABLE as error:
        raise RootRefused(RootFault.NOT_A_CERTIFICATE) from error


def authorities_below(root: x509.Certificate, candidates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return those of `candidates` that are authorities whose signatures lead to `root`, nearest first."""
    found: list[x509.Certificate] = []
    left, above = list(candidates), [root]
    while above:
        nearer = [one for one in left if is_authority(one) and any(is_issued_by(one, issuer) for issuer in above)]
        left = [one for one in left if one not in nearer]
        found += nearer
        above = nearer
    return found


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether basicConstraints say CA:TRUE; False for what cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether the name and the signature of `certificate` lead to `issuer`; a path needs more than that."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _read(content: bytes) -> list[x509.Certificate]:
    if len(content) > LARGEST_FILE:
        raise RootRefused(RootFault.TOO_LARGE)
    if b"PRIVATE KEY-----" in content:
        raise RootRefused(RootFault.PRIVATE_KEY)
    try:
        found = list(dict.fromkeys(_load(content)))
    except UNREADABLE as error:
        raise RootRefused(RootFault.NOT_A_CERTIFICATE) from error
    if len(found) > MOST_CERTIFICATES:
        raise RootRefused(RootFault.TOO_MANY)
    return found


def _load(content: bytes) -> list[x509.Certificate]:
    """Read whichever of the four forms it is. Throws what the library throws."""
    if b"-----BEGIN PKCS7-----" in content:
        return pkcs7.load_pem_pkcs7_certificates(content)
    if b"-----BEGIN " in content:
        return x509.load_pem_x509_certificates(content)
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        return pkcs7.load_der_pkcs7_certificates(content)


def _has_known_key(root: x509.Certificate) -> bool:
    return isinstance(root.public_key(), rsa.RSAPublicKey | ec.EllipticCurvePublicKey)


def _has_strong_key(root: x509.Certificate) -> bool:
    key = root.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _SMALLEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES


def _has_strong_digest(root: x509.Certificate) -> bool:
    digest = root.signature_hash_algorithm
    return digest is not None and digest.name not in _WEAK


def _may_certify(root: x509.Certificate) -> bool:
    try:
        return root.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _is_understood(root: x509.Certificate) -> bool:
    return all(not one.critical or isinstance(one.value, _KNOWN_CRITICAL) for one in root.extensions)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
