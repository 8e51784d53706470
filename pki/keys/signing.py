"""What a signing key can do, and the algorithm that goes with each kind of key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from typing import Final, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki import der, oids
from pki.errors import ProfileViolation, SignatureMismatch

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Curve(StrEnum):
    """The curves that we make keys on (FIPS 186-5)."""

    P256 = "secp256r1"
    P384 = "secp384r1"

    def make(self) -> ec.EllipticCurve:
        """Return the library's object for the curve."""
        return ec.SECP256R1() if self is Curve.P256 else ec.SECP384R1()


@dataclass(frozen=True)
class SignatureAlgorithm:
    """A signature algorithm by its identifier (dotted), its hash, and its AlgorithmIdentifier in DER."""

    oid: str
    hash: hashes.HashAlgorithm
    der: bytes


CURVES: Final = frozenset(Curve)
_HASHES: Final = {one.name: one for one in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())}


def signature_algorithm(public_key: PublicKey) -> SignatureAlgorithm:
    """Return the algorithm we sign with for a key of this kind: SHA-256 with P-256 and RSA, SHA-384 with P-384.

    Raises ProfileViolation for another curve.
    """
    if isinstance(public_key, rsa.RSAPublicKey):
        # RFC 4055, 5: parameters are NULL for RSA, absent for ECDSA (RFC 5758, 3.2).
        identifier = der.sequence(der.oid(oids.SHA256_WITH_RSA), der.NULL)
        return SignatureAlgorithm(oids.SHA256_WITH_RSA, hashes.SHA256(), identifier)
    if public_key.curve.name == Curve.P256:
        return SignatureAlgorithm(
            oids.ECDSA_WITH_SHA256, hashes.SHA256(), der.sequence(der.oid(oids.ECDSA_WITH_SHA256))
        )
    if public_key.curve.name == Curve.P384:
        return SignatureAlgorithm(
            oids.ECDSA_WITH_SHA384, hashes.SHA384(), der.sequence(der.oid(oids.ECDSA_WITH_SHA384))
        )
    raise ProfileViolation(f"no signature algorithm for curve {public_key.curve.name}")


class SigningKey(Protocol):
    """A private key that signs; where it lives is its own affair."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, data: bytes, *, hash: hashes.HashAlgorithm | None = None) -> bytes:  # noqa: A002  the field's word
        """Return the signature over `data`: DER ECDSA-Sig-Value, or PKCS#1 v1.5 for RSA.

        `hash` None takes the one of `signature_algorithm`. Raises KeyUnavailable if the key cannot be used.
        """
        ...


@dataclass(frozen=True)
class SoftwareKey:
    """A private key in this process's memory."""

    private_key: PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, curve: Curve) -> SoftwareKey:
        """Return a fresh key on `curve`."""
        return cls(ec.generate_private_key(curve.make()))

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self.private_key.public_key()

    def sign(self, data: bytes, *, hash: hashes.HashAlgorithm | None = None) -> bytes:  # noqa: A002  the field's word
        """Return the signature over `data`; see SigningKey."""
        return self._sign(data, hash or signature_algorithm(self.public_key).hash)

    @cached_property
    def _sign(self) -> Callable[[bytes, hashes.HashAlgorithm], bytes]:
        """The way to sign, found once: asking what kind of key it is costs a tenth of a signature."""
        key = self.private_key
        if isinstance(key, rsa.RSAPrivateKey):
            return lambda data, chosen: key.sign(data, padding.PKCS1v15(), chosen)
        return lambda data, chosen: key.sign(data, _ecdsa(chosen.name))


@cache
def _ecdsa(hash_name: str) -> ec.ECDSA:
    return ec.ECDSA(_HASHES[hash_name])


# Whoever proved a key and whoever lints its certificate read the same octets within a second; a batch has 2,000.
@lru_cache(maxsize=4096)
def read_spki(spki_der: bytes) -> PublicKeyTypes:
    """Return the key of a SubjectPublicKeyInfo, of any kind. Raises ValueError and UnsupportedAlgorithm."""
    return load_der_public_key(spki_der)


def public_key_of(certificate: x509.Certificate) -> PublicKey:
    """Return the key of a certificate. Raises ProfileViolation for a kind that is not used here."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ProfileViolation("the certificate's key is of a kind that is not used here")
    return key


def check_signature(public_key: PublicKey, signature: bytes, data: bytes) -> None:
    """Return if `signature` over `data` holds under the algorithm of the key. Raises SignatureMismatch."""
    algorithm = signature_algorithm(public_key).hash
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), algorithm)
        else:
            public_key.verify(signature, data, ec.ECDSA(algorithm))
    except InvalidSignature as error:
        raise SignatureMismatch("the signature does not verify") from error
