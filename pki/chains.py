"""Certification paths to explicit roots, judged at a given moment with evidence that is handed in. Nothing is fetched.

The path itself (RFC 5280, 6.1) is pyHanko's work; what a revocation list or an OCSP answer means is in
`pki.status_evidence`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    NotYetValidError,
    PathError,
    ValidationError,
)

from pki import oids
from pki.status_evidence import Revocation, StatusEvidence, find_status

# The most certificates a signature may bring along; more only costs time.
_MAXIMUM_EXTRA: Final = 20
_ADOBE_DOCUMENTS: Final = "1.2.840.113583.1.1.5"
_SIGNING_USES: Final = frozenset(
    {oids.EKU_DOCUMENT_SIGNING, oids.EKU_MS_DOCUMENT_SIGNING, oids.EKU_EMAIL_PROTECTION, _ADOBE_DOCUMENTS}
)


class Purpose(StrEnum):
    """What the last certificate of a path was used for."""

    SIGNING = "signing"
    TIMESTAMPING = "timestamping"


class PathVerdict(StrEnum):
    VALID = "valid"
    # At the moment asked about, or before it; `revocation` says when and why.
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    # No path to one of our roots.
    UNTRUSTED = "untrusted"
    WRONG_PURPOSE = "wrong_purpose"
    # A path, but no current evidence of status for one of its certificates.
    STATUS_UNKNOWN = "status_unknown"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class TrustStore:
    """Roots that we trust, and authorities that help to reach them (trusted only through a root)."""

    roots_der: tuple[bytes, ...]
    intermediates_der: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class PathResult:
    verdict: PathVerdict
    # From the end entity to the certificate below the root; empty where no path was found.
    chain_der: tuple[bytes, ...] = ()
    # The earliest revocation on the path that the evidence knows of, also one after the moment asked about.
    revocation: Revocation | None = None
    # The root that the path leads to; empty where no path was found.
    root_der: bytes = b""


def validate_path(
    certificate_der: bytes,
    *,
    trust: TrustStore,
    evidence: StatusEvidence,
    at: datetime,
    purpose: Purpose,
    extra_der: Iterable[bytes] = (),
) -> PathResult:
    """Judge a certificate at `at`: path, validity, purpose, and status of every certificate below the root.

    A revocation after `at` leaves the verdict VALID and is told in `revocation`. A status that cannot be
    established is STATUS_UNKNOWN, never VALID. `extra_der` are certificates that the signature brought along; they
    help to build a path and are trusted for nothing. Raises nothing for any input.
    """
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        fits = _fits(certificate, purpose)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return PathResult(PathVerdict.MALFORMED)
    if not fits:
        return PathResult(PathVerdict.WRONG_PURPOSE)
    built = _build(certificate_der, trust, at, tuple(extra_der)[:_MAXIMUM_EXTRA])
    if isinstance(built, PathVerdict):
        return PathResult(built)
    return _judge_status(built, evidence, at)


def _judge_status(path: tuple[x509.Certificate, ...], evidence: StatusEvidence, at: datetime) -> PathResult:
    """Ask for every certificate of `path` (end entity first, root last) but the root."""
    *chain, root_der = (one.public_bytes(Encoding.DER) for one in path)
    chain_der = tuple(chain)
    found = [find_status(one, issuer, evidence, at=at) for one, issuer in itertools.pairwise(path)]
    revocations = sorted((status for status in found if isinstance(status, Revocation)), key=lambda one: one.time)
    first = revocations[0] if revocations else None
    if first is not None and first.time <= at:
        return PathResult(PathVerdict.REVOKED, chain_der, first, root_der)
    if any(status is None for status in found):
        return PathResult(PathVerdict.STATUS_UNKNOWN, chain_der, first, root_der)
    return PathResult(PathVerdict.VALID, chain_der, first, root_der)


def _build(
    certificate_der: bytes, trust: TrustStore, at: datetime, extra_der: tuple[bytes, ...]
) -> tuple[x509.Certificate, ...] | PathVerdict:
    """Return the path, end entity first and root last, or why there is none."""
    try:
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(der) for der in trust.roots_der],
            other_certs=[asn1_x509.Certificate.load(der) for der in (*trust.intermediates_der, *extra_der)],
            moment=at,
            allow_fetching=False,
            # Status is judged by us, below: pyHanko has no notion of "revoked later than the moment asked about".
            revocation_mode="soft-fail",
        )
        validator = CertificateValidator(asn1_x509.Certificate.load(certificate_der), validation_context=context)
        path = asyncio.run(validator.async_validate_path())
        ders = [one.dump() for one in path.iter_certs(include_root=True)]
    except ExpiredError:
        return PathVerdict.EXPIRED
    except NotYetValidError:
        return PathVerdict.NOT_YET_VALID
    except (PathError, ValidationError):
        return PathVerdict.UNTRUSTED
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return PathVerdict.MALFORMED
    if len(ders) < 2:
        # A root itself signed: nobody answers for its status.
        return PathVerdict.WRONG_PURPOSE
    return tuple(x509.load_der_x509_certificate(der) for der in reversed(ders))


def _fits(certificate: x509.Certificate, purpose: Purpose) -> bool:
    extensions = certificate.extensions
    usage = _usage(extensions)
    extended = _extended_usage(extensions)
    if purpose is Purpose.TIMESTAMPING:
        # RFC 3161, 2.3: this one use, and critical.
        return usage and extended is not None and extended == ({oids.EKU_TIME_STAMPING}, True)
    return usage and (extended is None or bool(extended[0] & _SIGNING_USES))


def _usage(extensions: x509.Extensions) -> bool:
    """Return whether the key may sign for its holder (RFC 5280, 4.2.1.3); without the extension it may not."""
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature or usage.content_commitment


def _extended_usage(extensions: x509.Extensions) -> tuple[set[str], bool] | None:
    try:
        found = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return None
    return {use.dotted_string for use in found.value}, found.critical


__all__ = [
    "PathResult",
    "PathVerdict",
    "Purpose",
    "Revocation",
    "StatusEvidence",
    "TrustStore",
    "validate_path",
]
