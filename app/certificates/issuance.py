"""Issuing a certificate: reserve and lint, record the intent, sign once, compare, store. Used by `worker` and set-up.

Each step is safe to repeat after a crash; the to-be-signed bytes of one intent are never signed twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.certificates import profile_settings
from app.certificates.journal import SigningJournal
from app.certificates.models import Authority, Certificate, CertificateState, Revocation
from app.core.failpoints import reach
from app.core.settings import Settings
from app.registry.search import fold
from pki.authority import IssuerUrls, PreparedCertificate, check_issued, issue, new_serial_number, prepare, spki
from pki.errors import TbsMismatch
from pki.keys import PublicKey, SigningKey
from pki.names import SubjectName
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry


@dataclass(frozen=True)
class Owner:
    """Whose certificate it is: a person, an agency, both (an official), or neither (a service of the house)."""

    person_id: UUID | None = None
    agency_id: UUID | None = None
    # Where the house holds the key; None where the holder does.
    key_reference: str | None = None


def urls_of(settings: Settings, authority: str, shard: int) -> IssuerUrls:
    """Return the addresses that certificates of an authority carry."""
    base = _public(settings)
    return IssuerUrls(
        f"{base}/ca/{authority}.cer",
        f"{base}/ocsp",
        crl_address(settings, authority, shard),
        f"{base}/identifiers",
    )


def crl_address(settings: Settings, authority: str, shard: int) -> str:
    """Return where the list of a shard is, as it stands in certificates and in the list."""
    return f"{_public(settings)}/crl/{authority}/{shard}.crl"


def _public(settings: Settings) -> str:
    # Plain http: to check a TLS certificate this would need that very certificate's status (RFC 5280, 8).
    return settings.status_url.replace("https://", "http://", 1)


def reserve(
    session: Session,
    settings: Settings,
    authority: Authority,
    profile: ProfileName,
    subject: SubjectName,
    public_key: PublicKey,
    owner: Owner,
    *,
    now: datetime,
    not_after_limit: datetime | None = None,
) -> Certificate:
    """Prepare, lint and add the intent with a fresh serial number. Raises ProfileViolation, LintFailure."""
    serial_number = new_serial_number()
    shard = serial_number % authority.shards
    prepared = prepare(
        profile_settings.in_force(session, profile),
        subject,
        public_key,
        issuer_certificate_der=authority.certificate_der,
        issuer_profile=ProfileName(authority.profile),
        serial_number=serial_number,
        now=now,
        urls=urls_of(settings, authority.name, shard),
        not_after_limit=not_after_limit,
    )
    certificate = Certificate(
        authority=authority,
        serial=serial_number.to_bytes((serial_number.bit_length() + 7) // 8, "big"),
        shard=shard,
        state=CertificateState.PREPARED,
        profile=profile,
        profile_digest=prepared.profile_digest,
        person_id=owner.person_id,
        agency_id=owner.agency_id,
        key_reference=owner.key_reference,
        label=subject.common_name,
        search_name=fold(subject.common_name),
        not_before=prepared.not_before,
        not_after=prepared.not_after,
        spki_sha256=hashlib.sha256(spki(public_key)).hexdigest(),
        tbs_der=prepared.tbs_der,
        created_at=now,
    )
    session.add(certificate)
    session.flush()
    return certificate


def sign(certificate: Certificate, key: SigningKey, journal: SigningJournal) -> bytes | None:
    """Return the signed certificate of an intent, from the journal or by signing now.

    None means that an earlier attempt began and its outcome is unknown: the intent must be abandoned, because signing
    again would make two certificates with one serial number.
    """
    tbs_der = _intent(certificate)
    found = journal.look_up(tbs_der)
    if found.certificate_der is not None:
        check_issued(tbs_der, found.certificate_der, key.public_key)
        return found.certificate_der
    if found.begun:
        return None
    journal.begin(tbs_der)
    certificate_der = issue(_prepared(certificate), key)
    reach("request.signed_before_journal")
    journal.finish(tbs_der, certificate_der)
    return certificate_der


def store(session: Session, certificate: Certificate, certificate_der: bytes) -> None:
    """Record the signed certificate of an intent; storing it twice changes nothing."""
    if certificate.state == CertificateState.PREPARED:
        certificate.der = certificate_der
        certificate.sha256 = hashlib.sha256(certificate_der).hexdigest()
        certificate.state = CertificateState.ISSUED
        session.flush()


def abandon(session: Session, certificate: Certificate, *, now: datetime) -> None:
    """Give up an intent of unknown outcome and list its serial number as revoked."""
    certificate.state = CertificateState.ABANDONED
    add_revocation(session, certificate, RevocationReason.UNSPECIFIED, now=now)


def add_revocation(
    session: Session,
    certificate: Certificate,
    reason: RevocationReason,
    *,
    now: datetime,
    invalidity_date: datetime | None = None,
) -> None:
    """Add the row and the list entry of a revocation; the caller has changed the state."""
    at = now.replace(microsecond=0)
    entry = RevokedEntry(certificate.serial_number, at, reason, invalidity_date)
    session.add(
        Revocation(
            certificate_id=certificate.id,
            authority_id=certificate.authority_id,
            serial=certificate.serial,
            shard=certificate.shard,
            not_after=certificate.not_after,
            reason=reason,
            revoked_at=at,
            invalidity_date=invalidity_date,
            entry_der=encode_entry(entry),
        )
    )
    session.flush()


def _prepared(certificate: Certificate) -> PreparedCertificate:
    return PreparedCertificate(
        ProfileName(certificate.profile),
        certificate.profile_digest,
        certificate.serial_number,
        certificate.not_before,
        certificate.not_after,
        _intent(certificate),
    )


def _intent(certificate: Certificate) -> bytes:
    if certificate.tbs_der is None:
        raise TbsMismatch("this certificate has no intent of its own")
    return certificate.tbs_der
