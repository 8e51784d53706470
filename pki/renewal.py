"""Proof that whoever asks for a renewal has the old key: its signature over the whole new request."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from pki.errors import SignatureMismatch

# What is signed begins with these words. No signed attributes of a document do (they begin with the tag of a SET,
# 0x31), so that a renewal can never be shown as a signature of a document, nor the other way round.
CONTEXT: Final = b"Ky Vao: renewal of a certificate\x00"
_HALF: Final = 32


def signed_content(csr_der: bytes) -> bytes:
    """Return what the old key signs with ECDSA and SHA-256: the context, then the request with its challenge."""
    return CONTEXT + csr_der


def check_proof(certificate_der: bytes, csr_der: bytes, signature: bytes) -> None:
    """Return if `signature` (r and s, 32 octets each, as WebCrypto writes them) is by the certificate's P-256 key.

    Raises SignatureMismatch for any other key or signature.
    """
    key = x509.load_der_x509_certificate(certificate_der).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.key_size != 8 * _HALF or len(signature) != 2 * _HALF:
        raise SignatureMismatch("not a signature of a P-256 key")
    r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed_content(csr_der), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise SignatureMismatch("the signature is not by the key of the certificate") from error
