"""Checks that block: a certificate or CRL that fails one is never signed, or never published.

Written apart from the code that builds, over the encoded result, so that one mistake cannot hide in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from pki import oids
from pki.errors import LintFailure
from pki.keys import Curve
from pki.profiles import Profile

_LONGEST_SERIAL: Final = 20

T = TypeVar("T", bound=x509.ExtensionType)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the rule by a short name, and the clause that asks for it."""

    rule: str
    source: str

    def __str__(self) -> str:
        """As `rule (source)`."""
        return f"{self.rule} ({self.source})"


def find_in_certificate(certificate_der: bytes, profile: Profile) -> list[Finding]:
    """Return what is wrong with a certificate made under `profile`; empty when nothing is."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    return [
        *_basics(certificate, profile),
        *_key(certificate, profile),
        *_name(certificate),
        *_uses(certificate, profile),
        *_places(certificate, profile),
    ]


def lint_certificate(certificate_der: bytes, profile: Profile) -> None:
    """Return if nothing is wrong. Raises LintFailure with all findings."""
    findings = find_in_certificate(certificate_der, profile)
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
    if _extension(certificate, x509.SubjectAlternativeName) is not None:
        yield Finding("no_alternative_name", "profile")


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
