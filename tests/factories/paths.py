"""Paths, revocation lists and certificates of any shape, for the judging of both."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.authority import Issuer
from pki.chains import PathResult, Purpose, StatusEvidence, validate_path
from pki.crl import build_crl
from pki.keys import SoftwareKey
from pki.profiles import ProfileName
from tests.factories import pdfs
from tests.factories import pki as factory

NOW = factory.NOW + timedelta(hours=1)
OFFICIALS = ProfileName.ISSUING_OFFICIALS
POINT = f"{factory.BASE}/crl/{OFFICIALS}/0.crl"


def judge(certificate_der: bytes, **changes: Any) -> PathResult:
    facts: dict[str, Any] = {
        "trust": pdfs.trust(),
        "evidence": pdfs.evidence(),
        "at": NOW,
        "purpose": Purpose.SIGNING,
        "extra_der": (factory.authority(OFFICIALS).certificate_der,),
        **changes,
    }
    return validate_path(certificate_der, **facts)


def root_list(now: datetime = factory.NOW) -> bytes:
    return build_crl(
        (),
        issuer=factory.root(),
        number=1,
        now=now,
        lifetime=timedelta(days=1),
        distribution_point=f"{factory.BASE}/crl/{ProfileName.ROOT}/0.crl",
        only_ca=True,
    )


def officials_list(
    *entries: bytes, issuer: Issuer | None = None, point: str = POINT, now: datetime = factory.NOW
) -> bytes:
    return build_crl(
        entries,
        issuer=issuer or factory.authority(OFFICIALS),
        number=1,
        now=now,
        lifetime=timedelta(days=1),
        distribution_point=point,
    )


def with_list(crl_der: bytes) -> StatusEvidence:
    return StatusEvidence((root_list(), crl_der))


def made(*extensions: tuple[x509.ExtensionType, bool], key: Any = None, issuer: Issuer | None = None) -> bytes:
    """Return a certificate of another house with just these extensions, by itself or by `issuer`."""
    own = key or factory.key("made")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Made")])
    public = own.public_key if isinstance(own, SoftwareKey) else own.public_key()
    builder = x509.CertificateBuilder(
        issuer.certificate.subject if issuer else name, name, public, 77, factory.NOW, factory.NOW + timedelta(days=90)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = issuer.key if issuer else own
    signer = signer.private_key if isinstance(signer, SoftwareKey) else signer
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def usage(**bits: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


SIGNS = (usage(digital_signature=True), True)
