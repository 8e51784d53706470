"""Certification requests as a browser makes them: a subject of no meaning, our challenge, and the key's signature."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AttributeOID, NameOID

from pki.keys import SoftwareKey


def csr_der(key: SoftwareKey, challenge: str) -> bytes:
    """Return a PKCS#10 request for `key` that carries `challenge`."""
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ky Vao")]))
        .add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
        .sign(key.private_key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.DER)
