"""Keys: made, kept in files, used for signatures that others can check."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from pki.errors import KeyUnavailable, ProfileViolation, SignatureMismatch
from pki.keys import Curve, SoftwareKey, files, signature_algorithm
from pki.keys.signing import check_signature
from tests.factories.pki import key

PASSPHRASE = b"mot hai ba"


@pytest.fixture(scope="session")
def rsa_key() -> SoftwareKey:
    return SoftwareKey(rsa.generate_private_key(65537, 2048))


@pytest.mark.parametrize("curve", list(Curve))
def test_a_key_read_back_is_the_key_that_was_made(tmp_path: Path, curve: Curve):
    made = files.generate(tmp_path / "keys" / "a.pem", curve=curve, passphrase=PASSPHRASE)
    read = files.load(tmp_path / "keys" / "a.pem", passphrase=PASSPHRASE)
    assert read.public_key == made.public_key
    check_signature(made.public_key, read.sign(b"data"), b"data")


def test_a_key_file_is_its_owners_alone_and_encrypted(tmp_path: Path):
    path = tmp_path / "a.pem"
    files.generate(path, curve=Curve.P256, passphrase=PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert [one.name for one in tmp_path.iterdir()] == ["a.pem"]


def test_a_key_is_never_written_over(tmp_path: Path):
    path = tmp_path / "a.pem"
    files.generate(path, curve=Curve.P256, passphrase=PASSPHRASE)
    before = path.read_bytes()
    with pytest.raises(KeyUnavailable):
        files.generate(path, curve=Curve.P256, passphrase=PASSPHRASE)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.pem"]


def test_a_key_is_not_written_without_a_passphrase(tmp_path: Path):
    with pytest.raises(KeyUnavailable):
        files.generate(tmp_path / "a.pem", curve=Curve.P256, passphrase=b"")


@pytest.mark.parametrize("passphrase", [b"wrong", b"", None])
def test_a_wrong_passphrase_makes_the_key_unavailable(tmp_path: Path, passphrase: bytes | None):
    path = tmp_path / "a.pem"
    files.generate(path, curve=Curve.P256, passphrase=PASSPHRASE)
    with pytest.raises(KeyUnavailable) as caught:
        files.load(path, passphrase=passphrase)
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_file_makes_the_key_unavailable(tmp_path: Path):
    with pytest.raises(KeyUnavailable):
        files.load(tmp_path / "none.pem", passphrase=PASSPHRASE)


def test_a_key_of_another_kind_is_refused(tmp_path: Path):
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "ed.pem").write_bytes(pem)
    with pytest.raises(KeyUnavailable):
        files.load(tmp_path / "ed.pem", passphrase=None)


def test_a_key_does_not_show_itself():
    assert "private" not in repr(key("shy"))


def test_an_rsa_key_signs_with_pkcs1(rsa_key: SoftwareKey):
    signature = rsa_key.sign(b"data")
    check_signature(rsa_key.public_key, signature, b"data")
    assert isinstance(rsa_key.public_key, rsa.RSAPublicKey)
    rsa_key.public_key.verify(signature, b"data", padding.PKCS1v15(), hashes.SHA256())


def test_the_hash_may_be_chosen():
    made = key("chosen")
    assert isinstance(made.public_key, ec.EllipticCurvePublicKey)
    made.public_key.verify(made.sign(b"data", hash=hashes.SHA512()), b"data", ec.ECDSA(hashes.SHA512()))


@pytest.mark.parametrize("curve", list(Curve))
def test_a_signature_over_other_data_does_not_hold(curve: Curve):
    made = key(f"other {curve}", curve)
    with pytest.raises(SignatureMismatch):
        check_signature(made.public_key, made.sign(b"data"), b"datA")


def test_an_rsa_signature_over_other_data_does_not_hold(rsa_key: SoftwareKey):
    with pytest.raises(SignatureMismatch):
        check_signature(rsa_key.public_key, rsa_key.sign(b"data"), b"datA")


def test_another_curve_has_no_algorithm_here():
    with pytest.raises(ProfileViolation):
        signature_algorithm(ec.generate_private_key(ec.SECP521R1()).public_key())
