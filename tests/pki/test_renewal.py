"""The old key vouches for a new request: its P-256 signature over exactly that, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki import renewal
from pki.errors import SignatureMismatch

KEY = ec.generate_private_key(ec.SECP256R1())
CSR = b"\x30\x03\x02\x01\x00"


def self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    return builder.not_valid_after(datetime(2036, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def certificate_der() -> bytes:
    return self_signed(KEY).public_bytes(Encoding.DER)


def signed(content: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_the_signature_of_the_old_key_over_the_request_is_accepted(certificate_der: bytes) -> None:
    renewal.check_proof(certificate_der, CSR, signed(renewal.signed_content(CSR)))


def test_the_content_is_what_the_browser_signs() -> None:
    assert renewal.signed_content(CSR) == b"Ky Vao: renewal of a certificate\x00" + CSR


@pytest.mark.parametrize(
    "proof",
    [
        b"",
        bytes(64),
        signed(CSR),
        signed(renewal.signed_content(CSR + b"\x00")),
        signed(renewal.signed_content(CSR), ec.generate_private_key(ec.SECP256R1())),
        signed(renewal.signed_content(CSR))[:-1],
        signed(renewal.signed_content(CSR)) + b"\x00",
    ],
    # Signatures are random; two processes must give a test one name.
    ids=["nothing", "zeros", "bare request", "another request", "another key", "cut off", "too long"],
)
def test_anything_else_proves_nothing(certificate_der: bytes, proof: bytes) -> None:
    with pytest.raises(SignatureMismatch):
        renewal.check_proof(certificate_der, CSR, proof)


def test_a_key_of_another_curve_proves_nothing() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    r, s = decode_dss_signature(other.sign(renewal.signed_content(CSR), ec.ECDSA(hashes.SHA256())))
    proof = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    for given in (proof, proof[:64]):
        with pytest.raises(SignatureMismatch):
            renewal.check_proof(self_signed(other).public_bytes(Encoding.DER), CSR, given)
