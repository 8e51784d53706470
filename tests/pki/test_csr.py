"""Requests are reduced to a key whose private half the requester has."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from pki import csr, der, oids
from pki.csr import CsrFault
from pki.errors import CsrRejected

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@pytest.fixture(scope="session")
def holder() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def request(
    key: PrivateKey,
    *,
    challenge: bytes | None = None,
    digest: hashes.SHA256 | hashes.SHA224 | None = None,
    encoding: serialization.Encoding = DER,
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody else")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if challenge is not None:
        builder = builder.add_attribute(x509.ObjectIdentifier(oids.CHALLENGE_PASSWORD), challenge)
    hash_ = None if isinstance(key, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return builder.sign(key, hash_).public_bytes(encoding)


def fault_of(csr_bytes: bytes, challenge: str | None = None) -> CsrFault:
    with pytest.raises(CsrRejected) as caught:
        csr.parse(csr_bytes) if challenge is None else csr.parse_with_challenge(csr_bytes, challenge)
    assert isinstance(caught.value.fault, CsrFault)
    return caught.value.fault


@pytest.mark.parametrize("encoding", [DER, PEM])
def test_a_request_gives_its_key_and_nothing_else(holder: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding):
    parsed = csr.parse(request(holder, encoding=encoding))
    spki = holder.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert parsed == csr.CertificateRequest(holder.public_key(), spki, hashlib.sha256(spki).hexdigest())


def test_a_request_signed_by_another_key_is_rejected(holder: ec.EllipticCurvePrivateKey):
    stolen = bytearray(request(holder))
    stolen[-1] ^= 1
    assert fault_of(bytes(stolen)) is CsrFault.BAD_SIGNATURE


def test_a_request_may_have_sixteen_kilobytes_and_not_one_more():
    assert fault_of(b"0" * csr.MAXIMUM_SIZE) is CsrFault.UNREADABLE
    assert fault_of(b"0" * (csr.MAXIMUM_SIZE + 1)) is CsrFault.TOO_LARGE


@pytest.mark.parametrize("rubbish", [b"", b"-----BEGIN CERTIFICATE REQUEST-----", b"\x30\x00", b"\xff" * 50])
def test_rubbish_is_unreadable(rubbish: bytes):
    assert fault_of(rubbish) is CsrFault.UNREADABLE


def test_a_point_that_is_not_on_the_curve_is_unreadable(holder: ec.EllipticCurvePrivateKey):
    point = holder.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    off = point[:-1] + bytes([point[-1] ^ 1])
    assert fault_of(request(holder).replace(point, off)) is CsrFault.UNREADABLE


def test_a_weak_digest_is_rejected(holder: ec.EllipticCurvePrivateKey):
    assert fault_of(request(holder, digest=hashes.SHA224())) is CsrFault.WEAK_DIGEST


@pytest.mark.parametrize("size", [2048, 3072])
def test_rsa_from_2048_bits_is_accepted(size: int):
    assert isinstance(csr.parse(request(rsa.generate_private_key(65537, size))).public_key, rsa.RSAPublicKey)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: rsa.generate_private_key(3, 2048),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate,
    ],
    ids=["rsa-1024", "rsa-exponent-3", "p-521", "secp256k1", "ed25519"],
)
def test_a_key_we_do_not_certify_is_rejected(make):  # type: ignore[no-untyped-def]  # parametrized with factories
    assert fault_of(request(make())) is CsrFault.KEY_NOT_ALLOWED


def test_the_challenge_binds_a_request_to_its_session(holder: ec.EllipticCurvePrivateKey):
    made = request(holder, challenge=b"q7Lk")
    assert csr.parse_with_challenge(made, "q7Lk").public_key == holder.public_key()
    assert fault_of(made, "q7Ll") is CsrFault.WRONG_CHALLENGE


def test_a_request_without_the_challenge_is_rejected(holder: ec.EllipticCurvePrivateKey):
    assert fault_of(request(holder), "q7Lk") is CsrFault.WRONG_CHALLENGE


def test_the_challenge_is_no_proof_without_the_signature(holder: ec.EllipticCurvePrivateKey):
    made = request(holder, challenge=b"q7Lk")
    assert fault_of(made.replace(b"q7Lk", b"q7Ll"), "q7Ll") is CsrFault.BAD_SIGNATURE


def test_a_key_proven_elsewhere_is_read_and_held_to_the_same_rules(holder: ec.EllipticCurvePrivateKey):
    spki = holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert csr.key_of_spki(spki).spki_der == spki
    assert csr.key_of_spki(spki).public_key == holder.public_key()
    # The same key with its point compressed is written as everybody writes it.
    point = holder.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    compressed = der.sequence(der.read(spki).children()[0].der, der.bit_string(point))
    assert csr.key_of_spki(compressed) == csr.key_of_spki(spki)
    weak = ec.generate_private_key(ec.SECP521R1()).public_key()
    refused = weak.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for unfit, fault in (
        (refused, CsrFault.KEY_NOT_ALLOWED),
        (b"", CsrFault.UNREADABLE),
        (spki[:-1], CsrFault.UNREADABLE),
    ):
        with pytest.raises(CsrRejected) as rejected:
            csr.key_of_spki(unfit)
        assert rejected.value.fault is fault
