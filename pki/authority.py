"""Making certificates: prepare, lint, and sign exactly once what was prepared.

`prepare` builds the to-be-signed bytes and lints them on a twin signed by a throwaway key. The caller records the
result as its intent. `issue` then signs those very bytes, so that what is signed cannot differ from what was checked,
and what exists after a crash can be told from the record.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki import der, oids
from pki.errors import KeyMismatch, ProfileViolation, TbsMismatch
from pki.keys import PublicKey, SigningKey, signature_algorithm
from pki.keys.signing import check_signature, public_key_of
from pki.lint import Circumstances, lint_certificate
from pki.names import SubjectName
from pki.profiles import KeyUse, Profile, ProfileName

# RFC 5280, 4.1.2.2: positive and at most 20 octets; ours have 18, of which 17 are random.
_RANDOM_OCTETS: Final = 17
_PREFIXES: Final = range(0x01, 0x80)
# Clocks differ: a certificate must not be "not yet valid" on the machine next door.
BACKDATE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Issuer:
    """An authority that can sign: its certificate, the chain above it (nearest first, root last), and its key."""

    certificate_der: bytes
    key: SigningKey = field(repr=False)
    chain_der: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Raises KeyMismatch if the key is not the certificate's."""
        if spki(self.certificate.public_key()) != spki(self.key.public_key):
            raise KeyMismatch("the key does not belong to the certificate")

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed."""
        return x509.load_der_x509_certificate(self.certificate_der)

    @property
    def subject_der(self) -> bytes:
        """The authority's name, as it must stand in the issuer field byte for byte (RFC 5280, 4.1.2.4)."""
        return self.certificate.subject.public_bytes()

    @property
    def key_identifier(self) -> bytes:
        """The subjectKeyIdentifier of the certificate (20 octets)."""
        return key_identifier(self.certificate)


@dataclass(frozen=True)
class IssuerUrls:
    """Where a certificate's status and its issuer's certificate are found; plain http (RFC 5280, 4.2.2.1)."""

    ca_issuers: str | None = None
    ocsp: str | None = None
    crl: str | None = None
    # Who gives out our `XX:VN-…` identifiers; a local scheme must say so (EN 319 412-1, 5.1.3 and 5.1.4).
    identifiers: str | None = None


@dataclass(frozen=True)
class PreparedCertificate:
    """The intent: everything needed to sign later, or to know what was never signed."""

    profile: ProfileName
    profile_digest: str
    serial_number: int
    not_before: datetime
    not_after: datetime
    # DER of TBSCertificate: the bytes that `issue` signs.
    tbs_der: bytes


def new_serial_number(prefix: int = 0x01) -> int:
    """Return a serial number: the prefix byte of this installation (1 to 127) and 17 random bytes.

    Positive, 18 octets, 136 bits of chance (CA/Browser Baseline Requirements, 7.1: at least 64).
    """
    if prefix not in _PREFIXES:
        raise ProfileViolation("the prefix of serial numbers is one byte from 1 to 127")
    return prefix << (8 * _RANDOM_OCTETS) | int.from_bytes(secrets.token_bytes(_RANDOM_OCTETS), "big")


def prepare(
    profile: Profile,
    subject: SubjectName,
    public_key: PublicKey,
    *,
    issuer_certificate_der: bytes | None,
    issuer_profile: ProfileName,
    serial_number: int,
    now: datetime,
    urls: IssuerUrls,
    not_after_limit: datetime | None = None,
) -> PreparedCertificate:
    """Return the linted to-be-signed certificate; `issuer_certificate_der` None makes a self-signed one.

    Valid from a minute before `now` (UTC) for the profile's validity, cut at the issuer's own end and at
    `not_after_limit`. Raises ProfileViolation if the profile does not fit the subject, the key, the issuer or the
    URLs, LintFailure if a blocking check finds something.
    """
    check_fit(profile, type(subject), public_key, issuer_profile, urls)
    issuer = x509.load_der_x509_certificate(issuer_certificate_der) if issuer_certificate_der else None
    not_before = now.replace(microsecond=0) - BACKDATE
    # The last second counts (RFC 5280, 4.1.2.5).
    ends = [not_before + profile.validity - timedelta(seconds=1)]
    ends += [issuer.not_valid_after_utc] if issuer else []
    ends += [not_after_limit.replace(microsecond=0)] if not_after_limit else []
    if min(ends) <= now:
        raise ProfileViolation("the certificate would end before it begins")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.to_x509())
        .issuer_name(issuer.subject if issuer else subject.to_x509())
        .public_key(public_key)
        .serial_number(serial_number)
        .not_valid_before(not_before)
        .not_valid_after(min(ends))
    )
    for extension, critical in extensions_of(profile, public_key, issuer, not_before, urls):
        builder = builder.add_extension(extension, critical=critical)
    twin = _sign_with_throwaway_key(builder, public_key_of(issuer) if issuer else public_key)
    circumstances = Circumstances(issuer_certificate_der, now, urls.crl if profile.has_crl else None)
    lint_certificate(twin.public_bytes(serialization.Encoding.DER), profile, circumstances)
    return PreparedCertificate(
        profile.name, profile.digest, serial_number, not_before, min(ends), twin.tbs_certificate_bytes
    )


def issue(prepared: PreparedCertificate, key: SigningKey) -> bytes:
    """Sign the prepared bytes once with the issuer's key and return the certificate in DER.

    What comes out is read back: its to-be-signed part must be the prepared one (TbsMismatch) and its signature must
    hold (SignatureMismatch). Raises KeyUnavailable if the key cannot be used.
    """
    algorithm = signature_algorithm(key.public_key)
    signature = key.sign(prepared.tbs_der)
    certificate_der = der.sequence(prepared.tbs_der, algorithm.der, der.bit_string(signature))
    check_issued(prepared.tbs_der, certificate_der, key.public_key)
    return certificate_der


def check_issued(tbs_der: bytes, certificate_der: bytes, issuer_key: PublicKey) -> None:
    """Return if `certificate_der` is the signed form of `tbs_der`. Raises TbsMismatch, SignatureMismatch.

    Also used after a crash, on a certificate found in the signing journal.
    """
    certificate = x509.load_der_x509_certificate(certificate_der)
    if certificate.tbs_certificate_bytes != tbs_der:
        raise TbsMismatch("what was signed is not what was prepared")
    if certificate.signature_algorithm_oid.dotted_string != signature_algorithm(issuer_key).oid:
        raise TbsMismatch("the algorithm is not the issuer's")
    check_signature(issuer_key, certificate.signature, tbs_der)


def spki(public_key: object) -> bytes:
    """Return the DER of SubjectPublicKeyInfo."""
    if not isinstance(public_key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ProfileViolation("a key of a kind that is not used here")
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_identifier(certificate: x509.Certificate) -> bytes:
    """Return the subjectKeyIdentifier of a certificate."""
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def check_fit(
    profile: Profile,
    subject: type[SubjectName],
    public_key: PublicKey,
    issuer_profile: ProfileName,
    urls: IssuerUrls,
) -> None:
    """Return if the profile fits the kind of subject, key, issuer and addresses. Raises ProfileViolation."""
    if issuer_profile not in profile.issued_by:
        raise ProfileViolation(f"{issuer_profile} does not issue {profile.name}")
    if subject is not profile.subject:
        raise ProfileViolation(f"{profile.name} is not for a {subject.__name__}")
    if profile.is_authority and not (
        isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name == profile.curve
    ):
        raise ProfileViolation(f"{profile.name} needs a key on {profile.curve}")
    needed = (
        ("crl", profile.has_crl, urls.crl),
        ("ocsp", profile.has_ocsp, urls.ocsp),
        ("identifiers", profile.semantics is not None, urls.identifiers),
    )
    missing = [name for name, wanted, given in needed if wanted and not given]
    if missing:
        raise ProfileViolation(f"{profile.name} needs the addresses: {', '.join(missing)}")


def extensions_of(
    profile: Profile, public_key: PublicKey, issuer: x509.Certificate | None, not_before: datetime, urls: IssuerUrls
) -> list[tuple[x509.ExtensionType, bool]]:
    """Return the extensions of a certificate in their order, each with whether it is critical."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if profile.is_authority:
        found.append((x509.BasicConstraints(ca=True, path_length=profile.path_length), True))
    found.append((_key_usage(profile), True))
    found.append((x509.SubjectKeyIdentifier.from_public_key(public_key), False))
    if issuer is not None:
        found.append((x509.AuthorityKeyIdentifier(key_identifier(issuer), None, None), False))
    if profile.extended_key_usage:
        uses = x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in profile.extended_key_usage])
        found.append((uses, profile.extended_key_usage_critical))
    if profile.policy:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(profile.policy), None)
        found.append((x509.CertificatePolicies([policy]), False))
    if profile.semantics and urls.identifiers:
        found.append((_semantics(profile.semantics, urls.identifiers), False))
    if profile.has_crl and urls.crl:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(urls.crl)], None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    access = _access(profile, issuer, urls)
    if access:
        found.append((x509.AuthorityInformationAccess(access), False))
    if profile.ocsp_no_check:
        found.append((x509.OCSPNoCheck(), False))
    if profile.private_key_usage:
        signs_until = not_before + profile.private_key_usage
        found.append((x509.PrivateKeyUsagePeriod(not_before=not_before, not_after=signs_until), False))
    return found


def _access(profile: Profile, issuer: x509.Certificate | None, urls: IssuerUrls) -> list[x509.AccessDescription]:
    access = []
    if profile.has_ocsp and urls.ocsp:
        location = x509.UniformResourceIdentifier(urls.ocsp)
        access.append(x509.AccessDescription(AuthorityInformationAccessOID.OCSP, location))
    if issuer is not None and urls.ca_issuers:
        location = x509.UniformResourceIdentifier(urls.ca_issuers)
        access.append(x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, location))
    return access


def _key_usage(profile: Profile) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=KeyUse.DIGITAL_SIGNATURE in profile.key_usage,
        content_commitment=KeyUse.CONTENT_COMMITMENT in profile.key_usage,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=KeyUse.KEY_CERT_SIGN in profile.key_usage,
        crl_sign=KeyUse.CRL_SIGN in profile.key_usage,
        encipher_only=False,
        decipher_only=False,
    )


def _semantics(identifier: str, registry_address: str) -> x509.UnrecognizedExtension:
    # QCStatement { id-qcs-pkixQCSyntax-v2, SemanticsInformation { semanticsIdentifier, nameRegistrationAuthorities
    # { uniformResourceIdentifier [6] } } } (RFC 3739, 3.2.6.1).
    registry = der.sequence(der.encode(0x86, registry_address.encode("ascii")))
    statement = der.sequence(der.oid(oids.QCS_PKIX_QC_SYNTAX_V2), der.sequence(der.oid(identifier), registry))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.QC_STATEMENTS), der.sequence(statement))


def _sign_with_throwaway_key(builder: x509.CertificateBuilder, like: PublicKey) -> x509.Certificate:
    """Sign with a fresh key of the same kind as `like`, so that the algorithm in the to-be-signed part is right."""
    algorithm: hashes.SHA256 | hashes.SHA384 = (
        hashes.SHA384() if isinstance(signature_algorithm(like).hash, hashes.SHA384) else hashes.SHA256()
    )
    if isinstance(like, rsa.RSAPublicKey):
        return builder.sign(rsa.generate_private_key(65537, 2048), algorithm)
    return builder.sign(ec.generate_private_key(like.curve), algorithm)
