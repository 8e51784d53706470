"""Checks that block: a certificate or CRL that fails one is never signed, or never published.

Written apart from the code that builds, over the encoded result, so that one mistake cannot hide in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

from pki import oids
from pki.errors import LintFailure
from pki.keys import Curve
from pki.keys.signing import signature_algorithm
from pki.lint_encoding import find_in_encoding
from pki.names import COUNTRY
from pki.profiles import Profile

_LONGEST_SERIAL: Final = 20
# In characters; of every attribute that we use (RFC 5280, appendix A.1).
LONGEST_TEXT: Final = 64
# How far back a validity may begin: for clocks that differ, not to be older than one is.
LONGEST_BACKDATE: Final = timedelta(hours=1)
# Each has a rule of its own here. Nobody has weighed what any other would let a certificate do.
_KNOWN_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.OCSP_NO_CHECK,
        ExtensionOID.PRIVATE_KEY_USAGE_PERIOD,
        x509.ObjectIdentifier(oids.QC_STATEMENTS),
    }
)

T = TypeVar("T", bound=x509.ExtensionType)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the rule by a short name, and the clause that asks for it."""

    rule: str
    source: str

    def __str__(self) -> str:
        """As `rule (source)`."""
        return f"{self.rule} ({self.source})"


@dataclass(frozen=True)
class Circumstances:
    """What a certificate must say that its profile leaves open, when it is about to be signed."""

    # None for a certificate that signs itself.
    issuer_certificate_der: bytes | None
    now: datetime
    # The address of the list that the certificate would be on; None where its profile has none.
    crl: str | None


def find_in_certificate(
    certificate_der: bytes, profile: Profile, circumstances: Circumstances | None = None
) -> list[Finding]:
    """Return what is wrong with a certificate made under `profile`; empty when nothing is.

    `circumstances` None leaves out the rules that need them: for a certificate that was made elsewhere, or long ago.
    """
    loose = find_in_encoding(certificate_der)
    if loose is not None:
        return [Finding(f"encoding_is_der: {loose}", "RFC 5280, 4.1")]
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        present = [one.oid for one in certificate.extensions]
    except x509.DuplicateExtension:
        return [Finding("no_extension_twice", "RFC 5280, 4.2")]
    except ValueError as error:
        return [Finding(f"certificate_can_be_read: {error}", "RFC 5280, 4.1")]
    return [
        *_basics(certificate, profile),
        *_key(certificate, profile),
        *_name(certificate),
        *_uses(certificate, profile),
        *_places(certificate, profile),
        *(_of_profile(present)),
        *(_fits(certificate, circumstances) if circumstances else ()),
    ]


def lint_certificate(certificate_der: bytes, profile: Profile, circumstances: Circumstances | None = None) -> None:
    """Return if nothing is wrong. Raises LintFailure with all findings."""
    findings = find_in_certificate(certificate_der, profile, circumstances)
    if findings:
        raise LintFailure(findings)


def _basics(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    if certificate.version is not x509.Version.v3:
        yield Finding("version_is_3", "RFC 5280, 4.1.2.1")
    serial = certificate.serial_number
    if serial <= 0 or (serial.bit_length() + 8) // 8 > _LONGEST_SERIAL:
        yield Finding("serial_is_positive_and_short", "RFC 5280, 4.1.2.2")
    if not certificate.not_valid_before_utc < certificate.not_valid_after_utc:
        yield Finding("validity_runs_forward", "RFC 5280, 4.1.2.5")
    if certificate.not_valid_after_utc - certificate.not_valid_before_utc > profile.validity:
        yield Finding("validity_is_within_profile", "profile")
    constraints = _extension(certificate, x509.BasicConstraints)
    is_authority = constraints is not None and constraints.value.ca
    if is_authority is not profile.is_authority:
        yield Finding("authority_only_if_profile_says_so", "RFC 5280, 4.2.1.9")
    if constraints is not None and is_authority:
        if not constraints.critical:
            yield Finding("basic_constraints_critical", "RFC 5280, 4.2.1.9")
        if constraints.value.path_length != profile.path_length:
            yield Finding("path_length_is_profile", "profile")


def _key(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        allowed = {profile.curve} if profile.is_authority else set(Curve)
        if key.curve.name not in allowed:
            yield Finding("key_is_on_an_allowed_curve", "profile")
    elif not isinstance(key, rsa.RSAPublicKey):
        yield Finding("key_kind_is_allowed", "profile")
    identifier = _extension(certificate, x509.SubjectKeyIdentifier)
    if identifier is None or identifier.value != x509.SubjectKeyIdentifier.from_public_key(key):
        yield Finding("subject_key_identifier_is_method_1", "RFC 5280, 4.2.1.2")
    if certificate.subject != certificate.issuer and _extension(certificate, x509.AuthorityKeyIdentifier) is None:
        yield Finding("authority_key_identifier_present", "RFC 5280, 4.2.1.1")


def _name(certificate: x509.Certificate) -> Iterator[Finding]:
    for oid in (NameOID.COUNTRY_NAME, NameOID.COMMON_NAME):
        if len(certificate.subject.get_attributes_for_oid(oid)) != 1:
            yield Finding("subject_has_one_country_and_common_name", "EN 319 412-2, 4.2.4")
    for attribute in certificate.subject:
        text = attribute.value
        if isinstance(text, bytes) or not text.strip() or not text.isprintable():
            yield Finding("subject_is_readable", "RFC 5280, 4.1.2.6")
        elif len(text) > LONGEST_TEXT:
            yield Finding("subject_is_within_bounds", "RFC 5280, appendix A.1")
        if attribute.oid == NameOID.COUNTRY_NAME and text != COUNTRY:
            yield Finding("country_is_ours", "profile")
    # A national number would stand in every public PDF for ever.
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER):
        if not str(attribute.value).startswith("XX:VN-"):
            yield Finding("identifier_is_opaque", "EN 319 412-1, 5.1.3")


def _uses(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or not usage.critical or _bits(usage.value) != {use.value for use in profile.key_usage}:
        yield Finding("key_usage_is_profile_and_critical", "RFC 5280, 4.2.1.3")
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    uses = tuple(oid.dotted_string for oid in extended.value) if extended else ()
    if uses != profile.extended_key_usage or (extended and extended.critical != profile.extended_key_usage_critical):
        yield Finding("extended_key_usage_is_profile", "RFC 5280, 4.2.1.12")
    policies = _extension(certificate, x509.CertificatePolicies)
    named = [policy.policy_identifier.dotted_string for policy in policies.value] if policies else []
    if named != ([profile.policy] if profile.policy else []):
        yield Finding("policy_is_profile", "RFC 5280, 4.2.1.4")
    if (_extension(certificate, x509.OCSPNoCheck) is not None) is not profile.ocsp_no_check:
        yield Finding("ocsp_no_check_is_profile", "RFC 6960, 4.2.2.2.1")
    statements = [
        one.oid.dotted_string for one in certificate.extensions if one.oid.dotted_string == oids.QC_STATEMENTS
    ]
    if bool(statements) is not bool(profile.semantics):
        yield Finding("semantics_statement_is_profile", "EN 319 412-1, 5.1")
    period = _extension(certificate, x509.PrivateKeyUsagePeriod)
    begins, ends = (period.value.not_before, period.value.not_after) if period else (None, None)
    if (ends - begins if begins and ends else None) != profile.private_key_usage:
        yield Finding("time_of_signing_is_profile", "RFC 3280, 4.2.1.4")


def _places(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    points = _extension(certificate, x509.CRLDistributionPoints)
    addresses = [name.value for point in points.value for name in point.full_name or ()] if points else []
    if bool(addresses) is not profile.has_crl:
        yield Finding("crl_address_is_profile", "RFC 5280, 4.2.1.13")
    access = _extension(certificate, x509.AuthorityInformationAccess)
    described = list(access.value) if access else []
    methods = {one.access_method for one in described}
    if (AuthorityInformationAccessOID.OCSP in methods) is not profile.has_ocsp:
        yield Finding("ocsp_address_is_profile", "EN 319 412-2, 4.4.1")
    addresses += [one.access_location.value for one in described]
    # https would need this very certificate's status to be fetched; a query string defeats caches.
    if any(not str(address).startswith("http://") or "?" in str(address) for address in addresses):
        yield Finding("addresses_are_plain_http", "RFC 5280, 8")


def _of_profile(present: list[x509.ObjectIdentifier]) -> Iterator[Finding]:
    for oid in present:
        if oid not in _KNOWN_EXTENSIONS:
            yield Finding(f"only_extensions_of_profiles: {oid.dotted_string}", "profile")


def _fits(certificate: x509.Certificate, circumstances: Circumstances) -> Iterator[Finding]:
    issuer_der, begins = circumstances.issuer_certificate_der, certificate.not_valid_before_utc
    if not begins <= circumstances.now <= begins + LONGEST_BACKDATE:
        yield Finding("validity_begins_now", "RFC 5280, 4.1.2.5")
    yield from _fits_issuer(certificate, x509.load_der_x509_certificate(issuer_der) if issuer_der else certificate)
    points = _extension(certificate, x509.CRLDistributionPoints)
    addresses = [name.value for point in points.value for name in point.full_name or ()] if points else []
    if addresses != ([circumstances.crl] if circumstances.crl else []):
        yield Finding("crl_address_is_the_shard's", "RFC 5280, 5.2.5")


def _fits_issuer(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[Finding]:
    if certificate.issuer.public_bytes() != issuer.subject.public_bytes():
        yield Finding("issuer_is_the_authority", "RFC 5280, 4.1.2.4")
    if certificate.not_valid_after_utc > issuer.not_valid_after_utc:
        yield Finding("validity_ends_before_the_issuer's", "RFC 5280, 6.1.3")
    key = issuer.public_key()
    if (
        not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
        or certificate.signature_algorithm_oid.dotted_string != signature_algorithm(key).oid
    ):
        yield Finding("algorithm_is_the_authority's", "RFC 5280, 4.1.1.2")
    named, own = _extension(certificate, x509.AuthorityKeyIdentifier), _extension(issuer, x509.SubjectKeyIdentifier)
    # A certificate that signs itself need not name its key twice; that others name one is a rule above.
    if named is not None and (own is None or named.value.key_identifier != own.value.digest):
        yield Finding("authority_key_identifier_is_the_authority's", "RFC 5280, 4.2.1.1")


def _extension(of: x509.Certificate, kind: type[T]) -> x509.Extension[T] | None:
    try:
        return of.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _bits(usage: x509.KeyUsage) -> set[str]:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    )
    return {name for name in names if getattr(usage, name)}
