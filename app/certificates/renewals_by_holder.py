"""A holder renews by themselves: a new key, proven by the old one, while the registry says what it said before."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cryptography import x509
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import register, renewals, requests
from app.certificates.life_models import RenewalProof, Succession
from app.certificates.models import Certificate, CertificateRequest, RequestState
from app.certificates.personal_issuance import subject_of
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from app.core.queue import enqueue
from app.registry import service as registry
from app.registry.models import Person
from pki import csr, renewal
from pki.errors import CsrRejected, ProfileViolation, SignatureMismatch
from pki.profiles import ProfileName


class Standing(StrEnum):
    """Whether a holder may renew a certificate now, and if not, why."""

    READY = "ready"
    TOO_EARLY = "too_early"
    # The registry says something else than the certificate: an officer looks at it.
    FACTS_CHANGED = "facts_changed"
    # Suspended, revoked, ended, or a newer one is there.
    NOT_USABLE = "not_usable"


def standing(session: Session, certificate: Certificate, *, now: datetime) -> Standing:
    """Say whether the holder may renew the certificate."""
    person_id = certificate.person_id
    if person_id is None or not register.is_usable(certificate, now=now):
        return Standing.NOT_USABLE
    if session.get(Succession, certificate.id) is not None:
        return Standing.NOT_USABLE
    if now < renewals.opens_at(session, ProfileName(certificate.profile), certificate.not_after):
        return Standing.TOO_EARLY
    person = registry.person(session, person_id)
    return Standing.READY if _is_unchanged(certificate, person) else Standing.FACTS_CHANGED


def is_due(session: Session, certificate: Certificate, *, now: datetime) -> bool:
    """Say whether it is time for the holder to renew, by themselves or with an officer."""
    return standing(session, certificate, now=now) in {Standing.READY, Standing.FACTS_CHANGED}


def renew(
    session: Session,
    actor: Actor,
    certificate_id: UUID,
    csr_der: bytes,
    *,
    challenge: str,
    proof: bytes,
    now: datetime,
) -> CertificateRequest:
    """Store an approved request for a new key and queue its issuing; sending it again returns the same request.

    `proof` is the signature of the old key over the request (pki.renewal). Raises NotFound for another person's
    certificate, Invalid if request or proof do not hold, Conflict if it may not be renewed now.
    """
    person = registry.person(session, requests.person_of(actor))
    certificate = register.find_own(session, person.id, certificate_id)
    try:
        proven = csr.parse_with_challenge(csr_der, challenge)
        renewal.check_proof(certificate.der or b"", csr_der, proof)
    except (CsrRejected, SignatureMismatch) as error:
        raise Invalid(requests.BAD_REQUEST, requests.AGAIN) from error
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    repeated = session.scalar(
        select(CertificateRequest).where(
            CertificateRequest.supersedes_id == certificate.id,
            CertificateRequest.spki_sha256 == proven.spki_sha256,
            CertificateRequest.state != RequestState.REFUSED,
        )
    )
    if repeated is not None:
        return repeated
    requests.use_challenge(session, actor, challenge, now)
    requests.check_key_is_new(session, proven.spki_sha256)
    _check_may_renew(session, certificate, person.id, now=now)
    request = CertificateRequest(
        person_id=person.id,
        agency_id=certificate.agency_id,
        profile=certificate.profile,
        spki_der=proven.spki_der,
        spki_sha256=proven.spki_sha256,
        state=RequestState.APPROVED,
        requested_by=requests.account_of(actor),
        requested_at=now,
        # Nobody decided: the key did.
        decided_at=now,
        supersedes_id=certificate.id,
    )
    session.add(request)
    session.flush()
    session.add(
        RenewalProof(request_id=request.id, certificate_id=certificate.id, signature=proof, proven_at=now),
    )
    audit.record(
        session,
        actor,
        "certificate_renewed_by_key",
        object_kind="certificate_request",
        object_id=request.id,
        agency_id=request.agency_id,
        spki_sha256=request.spki_sha256,
        serial=certificate.serial_hex,
    )
    enqueue(session, requests.ISSUE_TASK, {"request_id": str(request.id)}, lock=f"request:{request.id}")
    return request


def _check_may_renew(session: Session, certificate: Certificate, person_id: UUID, *, now: datetime) -> None:
    if requests.open_request(session, person_id) is not None:
        raise Conflict(_l("You have a request already."), _l("Wait until it is decided, then ask again."))
    # Read again under the lock: a revocation comes wholly before or wholly after.
    session.refresh(certificate, with_for_update={"read": True, "of": Certificate})
    found = standing(session, certificate, now=now)
    if found is Standing.TOO_EARLY:
        raise Conflict(_l("It is too early to renew this certificate."))
    if found is Standing.FACTS_CHANGED:
        raise Conflict(
            _l("The registry says something else about you than this certificate."),
            _l("Ask for a new certificate; a registration officer looks at it."),
        )
    if found is Standing.NOT_USABLE:
        raise Conflict(_l("This certificate cannot be renewed any more."), _l("Ask for a new certificate."))


def _is_unchanged(certificate: Certificate, person: Person) -> bool:
    """Say whether a certificate made now would name the person as this one does."""
    post = person.current_post
    profile = ProfileName.OFFICIAL_SIGNING if post else ProfileName.CITIZEN_SIGNING
    if certificate.profile != profile or certificate.der is None:
        return False
    if post is not None and certificate.agency_id != post.agency_id:
        return False
    try:
        wanted = subject_of(person, profile).to_x509()
    except ProfileViolation:
        return False
    return x509.load_der_x509_certificate(certificate.der).subject == wanted
