"""From an approved request to a person's certificate, in steps that a crash may fall between."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import authorities, issuance, profile_settings, renewals
from app.certificates.issuance import Owner
from app.certificates.journal import SigningJournal
from app.certificates.models import BlockedKey, Certificate, CertificateRequest, CertificateState, RequestState
from app.certificates.profile_choice import issuer_of
from app.certificates.requests import ISSUE_TASK
from app.core.permissions import house
from app.core.queue import enqueue
from app.core.settings import Settings
from app.registry import service as registry
from app.registry.models import Person
from pki.csr import check_key
from pki.keys import SigningKey
from pki.names import PersonName
from pki.profiles import ProfileName

HOUSE = house("certificates.issue")


def record_intent(session: Session, settings: Settings, request_id: UUID, *, now: datetime) -> Certificate | None:
    """Return the intent of an approved request, made now or by an earlier attempt; None when there is nothing to do."""
    request = session.get(CertificateRequest, request_id, with_for_update=True)
    if request is None or request.state != RequestState.APPROVED:
        return None
    if request.certificate_id is not None:
        return session.get(Certificate, request.certificate_id)
    if session.get(BlockedKey, request.spki_sha256) is not None or renewals.is_void(session, request):
        request.state = RequestState.FAILED
        return None
    profile = ProfileName(request.profile)
    person = registry.person(session, request.person_id)
    intent = issuance.reserve(
        session,
        settings,
        authorities.find(session, issuer_of(profile), now=now),
        profile,
        subject_of(person, profile),
        check_key(load_der_public_key(request.spki_der)),
        Owner(person_id=person.id, agency_id=request.agency_id),
        now=now,
        not_after_limit=renewals.not_after_limit(person.id, profile_settings.in_force(session, profile), now=now),
    )
    request.certificate_id = intent.id
    return intent


def sign(intent: Certificate, key: SigningKey, journal: SigningJournal) -> bytes | None:
    """Sign the intent, or find what an earlier attempt signed; None if its outcome cannot be known."""
    return issuance.sign(intent, key, journal)


def complete(
    session: Session,
    request_id: UUID,
    certificate_id: UUID,
    signed: bytes | None,
    *,
    grace: timedelta,
    now: datetime,
) -> bool:
    """Store the certificate and end the one it replaces; or abandon the intent and queue another attempt.

    One that its holder renewed goes on for `grace`. Returns whether the certificate was stored. Doing it again
    changes nothing.
    """
    request = session.get(CertificateRequest, request_id, with_for_update=True)
    certificate = session.get(Certificate, certificate_id, with_for_update={"of": Certificate})
    if request is None or certificate is None or request.state != RequestState.APPROVED:
        return certificate is not None and certificate.state == CertificateState.ISSUED
    if signed is None:
        issuance.abandon(session, certificate, now=now)
        request.certificate_id = None
        enqueue(session, ISSUE_TASK, {"request_id": str(request_id)}, lock=f"request:{request_id}")
        return False
    issuance.store(session, certificate, signed)
    request.state = RequestState.ISSUED
    renewals.replace(session, HOUSE, request, certificate, grace=grace, now=now)
    audit.record(
        session,
        HOUSE,
        "certificate_issued",
        object_kind="certificate",
        object_id=certificate.id,
        agency_id=certificate.agency_id,
        serial=certificate.serial_hex,
        request=str(request_id),
    )
    return True


def subject_of(person: Person, profile: ProfileName) -> PersonName:
    """Return the subject of a person's certificate: what the registry says, never what a request says."""
    names = (person.full_name, person.surname, person.given_name, person.identifier)
    post = person.current_post
    if profile is not ProfileName.OFFICIAL_SIGNING or post is None:
        return PersonName(*names)
    return PersonName(
        *names,
        organization=post.agency.name[:64].strip(),
        organization_identifier=f"XX:VN-{post.agency.code}",
        title=post.title[:64].strip(),
    )
