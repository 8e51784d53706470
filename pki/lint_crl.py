"""Checks that block a CRL: written apart from the code that builds, over the encoded result.

The signature is checked over the bytes as they stand: the `cryptography` library encodes a list anew for that, which
costs more than everything else together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki import der
from pki.errors import LintFailure, SignatureMismatch
from pki.keys.signing import check_signature, signature_algorithm
from pki.lint import Finding

# The reasonCode extension that says removeFromCRL (RFC 5280, 5.3.1).
_REMOVED: Final = bytes.fromhex("300a 0603551d15 0403 0a0108")

T = TypeVar("T", bound=x509.ExtensionType)


def lint_crl(crl_der: bytes, *, issuer_certificate_der: bytes, whole: bool = False) -> None:
    """Return if nothing is wrong with a signed CRL, complete or delta. Raises LintFailure with all findings.

    `whole` is for the list of everything that an authority revoked: only that one need not name its address.
    """
    crl = x509.load_der_x509_crl(crl_der)
    issuer = x509.load_der_x509_certificate(issuer_certificate_der)
    findings = [*_basics(crl, issuer), *_scope(crl, whole), *_delta(crl, crl_der), *_signature(crl, crl_der, issuer)]
    if findings:
        raise LintFailure(findings)


def _basics(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> Iterator[Finding]:
    if crl.issuer.public_bytes() != issuer.subject.public_bytes():
        yield Finding("issuer_is_the_authority", "RFC 5280, 5.1.2.3")
    if crl.next_update_utc is None or not crl.last_update_utc < crl.next_update_utc:
        yield Finding("next_update_is_later", "RFC 5280, 5.1.2.5")


def _scope(crl: x509.CertificateRevocationList, whole: bool) -> Iterator[Finding]:
    scope = _extension(crl, x509.IssuingDistributionPoint)
    # Without a scope, or one that old software overlooks, a shard would pass for the list of everything.
    if scope is None or not scope.critical:
        yield Finding("scope_is_critical_and_named", "RFC 5280, 5.2.5")
        return
    named = scope.value.full_name is not None or scope.value.only_contains_ca_certs
    if named is whole:
        yield Finding("scope_is_critical_and_named", "RFC 5280, 5.2.5")


def _delta(crl: x509.CertificateRevocationList, crl_der: bytes) -> Iterator[Finding]:
    base, number = _extension(crl, x509.DeltaCRLIndicator), _extension(crl, x509.CRLNumber)
    if base is None:
        if _REMOVED in crl_der:
            yield Finding("only_a_delta_removes", "RFC 5280, 5.3.1")
        return
    if not base.critical:
        yield Finding("delta_indicator_critical", "RFC 5280, 5.2.4")
    if number is None or number.value.crl_number < base.value.crl_number:
        yield Finding("delta_is_not_before_its_base", "RFC 5280, 5.2.4")
    if _extension(crl, x509.FreshestCRL) is not None:
        yield Finding("a_delta_names_no_delta", "RFC 5280, 5.2.6")


def _signature(crl: x509.CertificateRevocationList, crl_der: bytes, issuer: x509.Certificate) -> Iterator[Finding]:
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        yield Finding("key_kind_is_allowed", "profile")
        return
    if crl.signature_algorithm_oid.dotted_string != signature_algorithm(key).oid:
        yield Finding("algorithm_is_the_authority's", "RFC 5280, 5.1.1.2")
        return
    try:
        check_signature(key, crl.signature, der.read(crl_der).children()[0].der)
    except SignatureMismatch:
        yield Finding("signature_holds", "RFC 5280, 5.1.1.3")


def _extension(of: x509.CertificateRevocationList, kind: type[T]) -> x509.Extension[T] | None:
    try:
        return of.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
