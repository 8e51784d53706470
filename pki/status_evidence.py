"""What a revocation list or an OCSP answer proves about one certificate at one moment.

Evidence counts only if its signature holds, it is meant for this certificate, and it was current at the moment or
made after it. Everything else is no evidence, and no evidence is never "good".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


@dataclass(frozen=True)
class Revocation:
    """A certificate was revoked, or is suspended while `reason` is `certificateHold`."""

    time: datetime
    # As RFC 5280, 5.3.1 spells it; `unspecified` if the evidence gives none.
    reason: str
    serial_number: int


@dataclass(frozen=True)
class StatusEvidence:
    """Lists and answers in DER, from wherever; unreadable ones prove nothing."""

    crls_der: tuple[bytes, ...] = ()
    ocsps_der: tuple[bytes, ...] = ()

    @cached_property
    def crls(self) -> tuple[x509.CertificateRevocationList, ...]:
        return tuple(_readable_crls(self.crls_der))

    @cached_property
    def ocsps(self) -> tuple[ocsp.OCSPResponse, ...]:
        return tuple(_readable_ocsps(self.ocsps_der))


@dataclass(frozen=True)
class Good:
    """Not revoked, as far as evidence made at `as_of` knows."""

    as_of: datetime


def find_status(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: StatusEvidence, *, at: datetime
) -> Revocation | Good | None:
    """Return what the newest usable evidence says about `certificate` with regard to `at`; None if there is none."""
    answers = [*_from_crls(certificate, issuer, evidence, at), *_from_ocsps(certificate, issuer, evidence, at)]
    if not answers:
        return None
    return max(answers, key=lambda answer: answer[0])[1]


def _from_crls(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: StatusEvidence, at: datetime
) -> Iterator[tuple[datetime, Revocation | Good]]:
    for crl in evidence.crls:
        try:
            usable = _is_for(crl, certificate, issuer) and _is_current(crl, certificate, at)
            if not usable or not crl.is_signature_valid(_authority_key(issuer)):
                continue
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is None:
                yield crl.last_update_utc, Good(crl.last_update_utc)
            else:
                yield crl.last_update_utc, Revocation(entry.revocation_date_utc, _reason(entry), entry.serial_number)
        except _UNREADABLE:
            continue


def _is_current(crl: x509.CertificateRevocationList, certificate: x509.Certificate, at: datetime) -> bool:
    """Return whether the list speaks about `at`: in force then, or made later while it still had to name it.

    An expired certificate may be dropped from later lists (RFC 5280, 3.3), so those prove nothing about it.
    """
    if crl.last_update_utc <= at:
        # One that promises no successor is current at its making only (RFC 5280, 5.1.2.5 demands the promise).
        return at <= (crl.next_update_utc or crl.last_update_utc)
    return crl.last_update_utc <= certificate.not_valid_after_utc


def _is_for(crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Match issuer and scope (RFC 5280, 6.3.3 b); delta, indirect and partial lists are not understood, so not used."""
    if crl.issuer != issuer.subject or certificate.issuer != issuer.subject:
        return False
    for extension in crl.extensions:
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            if not _in_scope(extension.value, certificate):
                return False
        elif extension.critical:
            return False
    return True


def _in_scope(point: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
        return False
    is_authority = _is_authority(certificate)
    if (point.only_contains_user_certs and is_authority) or (point.only_contains_ca_certs and not is_authority):
        return False
    if point.relative_name is not None:
        return False
    return point.full_name is None or not set(point.full_name).isdisjoint(_distribution_names(certificate))


def _distribution_names(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return x509.ReasonFlags.unspecified.value


def _authority_key(issuer: x509.Certificate) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise UnsupportedAlgorithm("key of the issuer")
    return key


def _from_ocsps(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: StatusEvidence, at: datetime
) -> Iterator[tuple[datetime, Revocation | Good]]:
    for response in evidence.ocsps:
        try:
            if not _is_authentic(response, issuer):
                continue
            for single in response.responses:
                if _names(single, certificate, issuer) and _answer_is_current(single, at):
                    answer = _answer(single)
                    if answer is not None:
                        yield single.this_update_utc, answer
        except _UNREADABLE:
            continue


def _answer(single: ocsp.OCSPSingleResponse) -> Revocation | Good | None:
    match single.certificate_status:
        case ocsp.OCSPCertStatus.GOOD:
            return Good(single.this_update_utc)
        case ocsp.OCSPCertStatus.REVOKED:
            reason = single.revocation_reason or x509.ReasonFlags.unspecified
            when = single.revocation_time_utc or single.this_update_utc
            return Revocation(when, reason.value, single.serial_number)
        case _:
            return None


def _answer_is_current(single: ocsp.OCSPSingleResponse, at: datetime) -> bool:
    if single.this_update_utc > at:
        return True
    return single.next_update_utc is not None and at <= single.next_update_utc


def _names(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if single.serial_number != certificate.serial_number:
        return False
    name, key = hashes.Hash(single.hash_algorithm), hashes.Hash(single.hash_algorithm)
    name.update(issuer.subject.public_bytes())
    key.update(_key_bits(issuer))
    return single.issuer_name_hash == name.finalize() and single.issuer_key_hash == key.finalize()


def _key_bits(issuer: x509.Certificate) -> bytes:
    """Return the BIT STRING of the key without its header, which is what issuerKeyHash covers (RFC 6960, 4.1.1)."""
    key = _authority_key(issuer)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _is_authentic(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    """Return whether the issuer or a responder that it named directly signed the answer (RFC 6960, 4.2.2.2)."""
    if any(extension.critical for extension in response.extensions):
        return False
    produced = response.produced_at_utc
    for signer in (issuer, *(one for one in response.certificates if _is_delegated(one, issuer, produced))):
        try:
            _verify(response, _authority_key(signer))
        except InvalidSignature:
            continue
        return True
    return False


def _is_delegated(candidate: x509.Certificate, issuer: x509.Certificate, produced: datetime) -> bool:
    if not candidate.not_valid_before_utc <= produced <= candidate.not_valid_after_utc:
        return False
    try:
        candidate.verify_directly_issued_by(issuer)
        uses = candidate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        # Without this nobody says whether the responder itself was revoked.
        candidate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in uses


def _verify(response: ocsp.OCSPResponse, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> None:
    algorithm = response.signature_hash_algorithm
    if algorithm is None:
        raise InvalidSignature
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
    else:
        key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)


def _readable_crls(ders: tuple[bytes, ...]) -> Iterator[x509.CertificateRevocationList]:
    for der in ders:
        try:
            yield x509.load_der_x509_crl(der)
        except _UNREADABLE:
            continue


def _readable_ocsps(ders: tuple[bytes, ...]) -> Iterator[ocsp.OCSPResponse]:
    for der in ders:
        try:
            response = ocsp.load_der_ocsp_response(der)
        except _UNREADABLE:
            continue
        if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
            yield response
