"""Kinds of roots, refusals and failures in words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from flask_babel import lazy_gettext as _l

from app.core.errors import AppError, Invalid, Sentence, TooLarge
from app.core.i18n import moment
from app.trust.models import Failure, Kind
from pki.trust_list import RootFault

KINDS: Final[Mapping[Kind, Sentence]] = {
    Kind.OWN: _l("Own root of the city"),
    Kind.NATIONAL: _l("National root, above the public certification authorities"),
    Kind.GOVERNMENT: _l("Root of the Government Cipher Committee, for acts of office"),
    Kind.ORGANISATION: _l("Root of another organisation"),
}
# How the law calls a signature below such a root (Law 20/2023, Art. 22; Decree 68/2024).
CLASSES: Final[Mapping[Kind, Sentence]] = {
    Kind.OWN: _l("Specialised electronic signature of the city"),
    Kind.NATIONAL: _l("Digital signature with a certificate of a public authority"),
    Kind.GOVERNMENT: _l("Specialised digital signature for acts of office"),
    Kind.ORGANISATION: _l(
        "Electronic signature of another organisation; what it is worth in law is for that body to say"
    ),
}
_REFUSALS: Final[Mapping[RootFault, tuple[Sentence, Sentence]]] = {
    RootFault.TOO_LARGE: (_l("The file is larger than 512 kB."), _l("Choose the file of the root alone.")),
    RootFault.PRIVATE_KEY: (
        _l("The file holds a private key. It was not kept."),
        _l("Tell its owner that the key was passed on, and ask for the certificate alone."),
    ),
    RootFault.NOT_A_CERTIFICATE: (
        _l("The file is no certificate, or it is damaged."),
        _l("Choose a file in the form PEM, DER or P7B."),
    ),
    RootFault.TOO_MANY: (_l("The file holds more than 100 certificates."), _l("Choose the file of the root alone.")),
    RootFault.NO_ROOT: (
        _l("The file holds no root: its certificates were issued by another authority."),
        _l("Ask for the root at the top. What stands below it is trusted through it."),
    ),
    RootFault.SEVERAL_ROOTS: (
        _l("The file holds several roots."),
        _l("Import them one by one, so that each is decided on."),
    ),
    RootFault.STRANGER: (
        _l("The file holds certificates that are not authorities below its root."),
        _l("Choose the file of the root alone."),
    ),
    RootFault.BAD_SIGNATURE: (
        _l("The root is not signed with its own key, so it is no root, or it was changed."),
        _l("Get it again from the place that publishes it."),
    ),
    RootFault.NOT_AN_AUTHORITY: (
        _l("The certificate is not that of an authority (CA:TRUE is missing)."),
        _l("Ask for the certificate of the authority, not that of a person or a server."),
    ),
    RootFault.MAY_NOT_CERTIFY: (
        _l("By its own words, this key may not issue certificates."),
        _l("Ask the organisation for its current root."),
    ),
    RootFault.UNKNOWN_KEY: (
        _l("Its key is of a kind that cannot be checked here."),
        _l("Roots with RSA or ECDSA keys can be imported."),
    ),
    RootFault.WEAK_KEY: (
        _l("Its key is too short: RSA takes 2048 bits or more, ECDSA the curves P-256, P-384 and P-521."),
        _l("Ask the organisation for its current root."),
    ),
    RootFault.WEAK_DIGEST: (
        _l("It is signed with MD5 or SHA-1, or with a digest that is not known. These can be forged."),
        _l("Ask the organisation for its current root."),
    ),
    RootFault.UNKNOWN_EXTENSION: (
        _l("It carries a rule marked as critical that is not understood here."),
        _l("Ask the organisation for its current root."),
    ),
    RootFault.NOT_YET_VALID: (_l("It is not valid yet."), _l("Import it from the day on which it begins.")),
    RootFault.EXPIRED: (_l("It is no longer valid."), _l("Ask the organisation for its current root.")),
}
FAILURES: Final[Mapping[Failure, Sentence]] = {
    Failure.NO_ADDRESS: _l("Its name leads to no address"),
    Failure.PRIVATE_ADDRESS: _l("Its name leads into a private network, which is not allowed for it"),
    Failure.SILENT: _l("It did not answer in time, or broke off"),
    Failure.REDIRECTED: _l("It sent us elsewhere, which is not followed"),
    Failure.REFUSED: _l("It refused"),
    Failure.TOO_LARGE: _l("Its answer was too large"),
    Failure.WORTHLESS: _l("Its answer proves nothing: out of date, unreadable or signed by another"),
}
_ADDRESSES: Final[Mapping[bool, Sentence]] = {
    False: _l("In the public network only"),
    True: _l("Also in the city's own network"),
}
QUESTIONS: Final[Mapping[str, Sentence]] = {"crl": _l("Revocation list"), "ocsp": _l("Status of a certificate")}


def refusal(fault: RootFault) -> AppError:
    """Return the error for a root that is not taken."""
    sentence, next_step = _REFUSALS[fault]
    return (TooLarge if fault is RootFault.TOO_LARGE else Invalid)(sentence, next_step)


def sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def fingerprint(sha256_hex: str) -> str:
    """Return a digest in groups of four, as it is read out on the telephone."""
    return " ".join(sha256_hex[at : at + 4] for at in range(0, len(sha256_hex), 4))


def name_of(name: x509.Name) -> str:
    """Return the common name, or the organisation where there is none, or all of it."""
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return name.rfc4514_string()


def key_of(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    # NIST P-256 is how people know it; RFC 5480 says secp256r1.
    return f"ECDSA P-{key.key_size}" if isinstance(key, ec.EllipticCurvePublicKey) else ""


def digest_of(certificate: x509.Certificate) -> str:
    digest = certificate.signature_hash_algorithm
    return digest.name.upper().replace("SHA", "SHA-").replace("SHA-3-", "SHA3-") if digest else ""


def facts(root: x509.Certificate) -> list[tuple[Sentence, Sentence]]:
    """Return what a person compares before trusting a root."""
    return [
        (_l("Name in the certificate"), root.subject.rfc4514_string()),
        (_l("Valid from"), moment(root.not_valid_before_utc)),
        (_l("Valid until"), moment(root.not_valid_after_utc)),
        (_l("Fingerprint (SHA-256)"), fingerprint(sha256(root.public_bytes(Encoding.DER)))),
        (_l("Serial number"), f"{root.serial_number:x}"),
        (_l("Key and digest"), f"{key_of(root)}, {digest_of(root)}"),
    ]


def place(host: str, port: int | None) -> str:
    """Return a host with its port, as it stands in an address."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def addresses(may_be_private: bool) -> Sentence:
    return _ADDRESSES[may_be_private]
