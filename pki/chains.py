"""Certification paths: from a certificate to a root we were given, with its status from lists we were given.

Nothing is fetched and no list of the operating system is used (RFC 5280, 6; EN 319 102-1, 5.2.6). Where the status
cannot be established, the answer says so and is not "good".
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    InvalidCertificateError,
    PathBuildingError,
    PathError,
    PathValidationError,
    ValidationError,
)

from pki.revocation import RevocationReason

# A list is still used this long after its nextUpdate: clocks differ.
_TOLERANCE = timedelta(minutes=5)


class PathStatus(StrEnum):
    """What is known of a certificate at a time."""

    GOOD = "good"
    # No path to a root that we trust.
    UNTRUSTED = "untrusted"
    # Not yet valid, or valid no more, at that time.
    NOT_IN_VALIDITY = "not_in_validity"
    # Not for this use, or broken in another way.
    UNFIT = "unfit"
    REVOKED = "revoked"
    # Trusted, but no fresh list says anything about it.
    STATUS_UNKNOWN = "status_unknown"


class Purpose(StrEnum):
    """What the certificate is used for."""

    SIGNING = "signing"
    TIMESTAMPING = "timestamping"


@dataclass(frozen=True)
class TrustStore:
    """Roots that are trusted, and intermediates that help to find a way to them, in DER."""

    roots_der: tuple[bytes, ...]
    intermediates_der: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class StatusEvidence:
    """The newest revocation lists, in DER."""

    crls_der: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class PathResult:
    """The answer. `revoked_at` and `reason` are given whenever the end certificate stands on a list, also when that
    was after the time asked about and the answer is GOOD."""

    status: PathStatus
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None


def validate_path(
    certificate_der: bytes,
    *,
    trust: TrustStore,
    evidence: StatusEvidence,
    at: datetime,
    now: datetime,
    purpose: Purpose = Purpose.SIGNING,
    others_der: Sequence[bytes] = (),
) -> PathResult:
    """Return what the certificate was worth at `at`, as far as can be told at `now` (both aware UTC).

    `others_der` are certificates that came with the signature; they help to find a path and are trusted for nothing.
    """
    found = _find_path(certificate_der, (*trust.intermediates_der, *others_der), trust.roots_der, at, purpose)
    if isinstance(found, PathStatus):
        return PathResult(found)
    worst = PathResult(PathStatus.GOOD)
    crls = [x509.load_der_x509_crl(der) for der in evidence.crls_der]
    for place, (below, issuer) in enumerate(zip(found[1:], found[:-1], strict=True)):
        is_end = place == len(found) - 2
        result = _status(below, issuer, crls, at=at, now=now)
        if result.status is not PathStatus.GOOD:
            return result if is_end else PathResult(result.status)
        worst = result if is_end else worst
    return worst


def _find_path(
    certificate_der: bytes, others_der: Sequence[bytes], roots_der: Sequence[bytes], at: datetime, purpose: Purpose
) -> list[x509.Certificate] | PathStatus:
    """Return root, intermediates and end certificate, or why there is no such path."""
    try:
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(der) for der in roots_der],
            moment=at,
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        validator = CertificateValidator(
            asn1_x509.Certificate.load(certificate_der),
            [asn1_x509.Certificate.load(der) for der in others_der],
            validation_context=context,
        )
        usage, extended = _usage(purpose)
        path = asyncio.run(validator.async_validate_usage(key_usage=usage, extended_key_usage=extended))
        return [x509.load_der_x509_certificate(one.dump()) for one in path.iter_certs(include_root=True)]
    except PathBuildingError:
        return PathStatus.UNTRUSTED
    except (PathValidationError, InvalidCertificateError, PathError, ValidationError, ValueError, TypeError) as error:
        return _why(certificate_der, at, error)


def _usage(purpose: Purpose) -> tuple[set[str], set[str]]:
    if purpose is Purpose.TIMESTAMPING:
        return set(), {"time_stamping"}
    return {"non_repudiation"}, set()


def _why(certificate_der: bytes, at: datetime, error: Exception) -> PathStatus:
    if isinstance(error, ValueError | TypeError) and not isinstance(error, ValidationError):
        return PathStatus.UNFIT
    certificate = x509.load_der_x509_certificate(certificate_der)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return PathStatus.NOT_IN_VALIDITY
    return PathStatus.UNFIT


def _status(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    crls: Sequence[x509.CertificateRevocationList],
    *,
    at: datetime,
    now: datetime,
) -> PathResult:
    """Return what the fresh lists of `issuer` say; a certificate without an address of a list needs none (nocheck)."""
    points = _points(certificate)
    usable = [crl for crl in crls if _covers(crl, issuer, points) and _is_fresh(crl, now)]
    if not usable:
        return PathResult(PathStatus.STATUS_UNKNOWN)
    newest = max(usable, key=lambda crl: crl.last_update_utc)
    entry = newest.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return PathResult(PathStatus.GOOD)
    revoked_at, reason = entry.revocation_date_utc, _reason(entry)
    status = PathStatus.REVOKED if revoked_at <= at else PathStatus.GOOD
    return PathResult(status, revoked_at, reason)


def _points(certificate: x509.Certificate) -> set[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for point in points for name in point.full_name or ()}


def _covers(crl: x509.CertificateRevocationList, issuer: x509.Certificate, points: set[str]) -> bool:
    """Say whether a list is signed by the issuer and meant for certificates that name one of `points`."""
    if crl.issuer != issuer.subject:
        return False
    try:
        scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
        named = {str(name.value) for name in scope.full_name or ()}
    except x509.ExtensionNotFound:
        named = set()
    if named and not named & points:
        return False
    key = issuer.public_key()
    try:
        return isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) and crl.is_signature_valid(key)
    except (InvalidSignature, ValueError):
        return False


def _is_fresh(crl: x509.CertificateRevocationList, now: datetime) -> bool:
    until = crl.next_update_utc
    return until is not None and crl.last_update_utc - _TOLERANCE <= now <= until + _TOLERANCE


def _reason(entry: x509.RevokedCertificate) -> RevocationReason:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return RevocationReason.UNSPECIFIED
    names = {
        x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
        x509.ReasonFlags.ca_compromise: RevocationReason.CA_COMPROMISE,
        x509.ReasonFlags.affiliation_changed: RevocationReason.AFFILIATION_CHANGED,
        x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
        x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
        x509.ReasonFlags.certificate_hold: RevocationReason.CERTIFICATE_HOLD,
        x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
        x509.ReasonFlags.aa_compromise: RevocationReason.AA_COMPROMISE,
    }
    return names.get(flag, RevocationReason.UNSPECIFIED)
