"""A root from outside is read in every form it comes in, and refused with the one thing that is wrong with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pki.trust_list import (
    LARGEST_FILE,
    MOST_CERTIFICATES,
    RootFault,
    RootRefused,
    check_root,
    is_authority,
    read_root,
)

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
_CA: Final = (x509.BasicConstraints(ca=True, path_length=None), True)
_CERTIFIES: Final = (
    x509.KeyUsage(False, False, False, False, False, True, True, False, False),
    True,
)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Extension = tuple[x509.ExtensionType, bool]


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(
    name: str = "Gốc quốc gia",
    *,
    key: Key | None = None,
    issuer: str | None = None,
    signed_with: Key | None = None,
    digest: hashes.SHA256 | None = hashes.SHA256(),  # noqa: B008  immutable
    extensions: tuple[Extension, ...] = (_CA, _CERTIFIES),
    valid: tuple[timedelta, timedelta] = (timedelta(days=-1), timedelta(days=3650)),
) -> x509.Certificate:
    made = key or KEY
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer or name))
        .public_key(made.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + valid[0])
        .not_valid_after(NOW + valid[1])
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signed_with or made, digest)


KEY: Final = ec.generate_private_key(ec.SECP256R1())
OTHER: Final = ec.generate_private_key(ec.SECP256R1())
ROOT: Final = certificate()
BELOW: Final = certificate("Cấp chứng thư 1", key=OTHER, issuer="Gốc quốc gia", signed_with=KEY)
LEAF: Final = certificate(
    "Người ký",
    key=OTHER,
    issuer="Cấp chứng thư 1",
    signed_with=OTHER,
    extensions=((_CA[0].__class__(False, None), True),),
)


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


def pem(*many: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in many)


def fault(content: bytes, now: datetime = NOW) -> RootFault:
    with pytest.raises(RootRefused) as refused:
        read_root(content, now=now)
    assert str(refused.value) == refused.value.fault
    return refused.value.fault


@pytest.mark.parametrize(
    "form",
    [
        der,
        pem,
        lambda one: pkcs7.serialize_certificates([one], Encoding.DER),
        lambda one: pkcs7.serialize_certificates([one], Encoding.PEM),
    ],
    ids=["DER", "PEM", "P7B", "P7B in PEM"],
)
def test_a_root_is_read_in_every_form(form: Callable[[x509.Certificate], bytes]) -> None:
    assert read_root(form(ROOT), now=NOW).root_der == der(ROOT)


def test_a_p7b_made_by_openssl_gives_the_root_and_the_authorities_below_it(tmp_path: Path) -> None:
    (tmp_path / "all.pem").write_bytes(pem(BELOW, ROOT))
    command = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", str(tmp_path / "all.pem"), "-outform", "DER"]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    found = read_root(made, now=NOW)
    assert (found.root_der, found.below_der) == (der(ROOT), (der(BELOW),))


def test_a_root_that_stands_twice_in_a_file_is_one() -> None:
    assert read_root(pem(ROOT, ROOT), now=NOW).below_der == ()


def test_what_is_no_certificate_is_refused() -> None:
    for content in (b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", der(ROOT)[:-5]):
        assert fault(content) is RootFault.NOT_A_CERTIFICATE


def test_a_file_over_the_limit_is_refused_before_it_is_read() -> None:
    assert fault(pem(ROOT) + b" " * LARGEST_FILE) is RootFault.TOO_LARGE


def test_a_file_with_more_certificates_than_anybody_needs_is_refused() -> None:
    assert fault(pem(*(certificate(f"Gốc {number}") for number in range(MOST_CERTIFICATES + 1)))) is RootFault.TOO_MANY


def test_a_file_with_a_private_key_is_refused() -> None:
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert fault(pem(ROOT) + key) is RootFault.PRIVATE_KEY


def test_a_file_without_a_root_or_with_two_is_refused() -> None:
    assert fault(pem(BELOW)) is RootFault.NO_ROOT
    assert fault(pem(ROOT, certificate("Gốc khác", key=OTHER))) is RootFault.SEVERAL_ROOTS


def test_a_certificate_that_the_root_does_not_lead_to_is_refused_with_the_whole_file() -> None:
    forged = certificate("Cấp chứng thư 2", key=OTHER, issuer="Gốc quốc gia", signed_with=OTHER)
    for stranger in (forged, LEAF):
        assert fault(pem(ROOT, BELOW, stranger)) is RootFault.STRANGER


@pytest.mark.parametrize(
    ("root", "why"),
    [
        (certificate(signed_with=OTHER), RootFault.BAD_SIGNATURE),
        (certificate(extensions=()), RootFault.NOT_AN_AUTHORITY),
        (certificate(extensions=((x509.BasicConstraints(False, None), True),)), RootFault.NOT_AN_AUTHORITY),
        (
            certificate(extensions=(_CA, (x509.KeyUsage(*([True] + [False] * 8)), True))),
            RootFault.MAY_NOT_CERTIFY,
        ),
        (certificate(key=ec.generate_private_key(ec.SECP192R1())), RootFault.WEAK_KEY),
        (certificate(key=rsa.generate_private_key(65537, 1024)), RootFault.WEAK_KEY),
        (certificate(key=ed25519.Ed25519PrivateKey.generate(), digest=None), RootFault.UNKNOWN_KEY),
        (
            certificate(extensions=(_CA, (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True))),
            RootFault.UNKNOWN_EXTENSION,
        ),
        (certificate(valid=(timedelta(seconds=1), timedelta(days=1))), RootFault.NOT_YET_VALID),
        (certificate(valid=(timedelta(days=-2), timedelta(seconds=-1))), RootFault.EXPIRED),
    ],
    ids=lambda value: value.value if isinstance(value, RootFault) else "",
)
def test_a_doubtful_root_is_refused_with_what_is_wrong(root: x509.Certificate, why: RootFault) -> None:
    assert fault(der(root)) is why


@pytest.mark.parametrize("digest", ["-sha1", "-md5"])
def test_a_root_signed_with_a_broken_digest_is_refused(tmp_path: Path, digest: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", digest, "-subj", "/CN=Old", "-days", "30"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "root.pem")]
    subprocess.run([*command, *files], capture_output=True, check=True)
    content = (tmp_path / "root.pem").read_bytes()
    assert fault(content, datetime.now(UTC) + timedelta(hours=1)) is RootFault.WEAK_DIGEST


def test_a_root_is_good_in_its_first_and_last_second() -> None:
    at_once = certificate(valid=(timedelta(), timedelta()))
    assert read_root(der(at_once), now=NOW).root_der == der(at_once)


def test_a_root_with_rsa_of_enough_bits_and_without_key_usage_is_good() -> None:
    strong = certificate(key=rsa.generate_private_key(65537, 2048), extensions=(_CA,))
    assert read_root(der(strong), now=NOW).root_der == der(strong)


def test_a_root_whose_extensions_cannot_be_read_is_refused_not_trusted() -> None:
    # basicConstraints with a body that is no SEQUENCE.
    body = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), b"\x04\x01\x00")
    broken = certificate(extensions=((body, True),))
    assert not is_authority(broken)
    assert fault(der(broken)) is RootFault.NOT_A_CERTIFICATE
    usage = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.15"), b"\x04\x01\x00")
    with pytest.raises(RootRefused, match=RootFault.NOT_A_CERTIFICATE):
        check_root(certificate(extensions=(_CA, (usage, True))), now=NOW)
