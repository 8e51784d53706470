"""Requests of people whom an approved campaign invited: they have no account, and nobody decides a second time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import register
from app.certificates.models import CertificateRequest, RequestState
from app.certificates.requests import AGAIN, BAD_REQUEST, ISSUE_TASK, check_key_is_new, open_request
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from app.core.queue import enqueue
from app.registry.models import Person
from pki import csr
from pki.errors import CsrRejected
from pki.profiles import ProfileName


@dataclass(frozen=True)
class Invited:
    """For whom an approved campaign allows a certificate, and of which kind."""

    person_id: UUID
    agency_id: UUID | None
    profile: ProfileName
    campaign_id: UUID


def issuance_for_invitation(
    session: Session, actor: Actor, invited: Invited, csr_der: bytes, challenge: str, *, now: datetime
) -> CertificateRequest:
    """Store an approved request and queue its issuing; sending the same again returns the same request.

    A certificate of that kind which the person has ends when the new one is issued. Raises Invalid if the request
    proves nothing, Conflict if the key was used or blocked, or another request of the person is open.
    """
    try:
        proven = csr.parse_with_challenge(csr_der, challenge)
    except CsrRejected as error:
        raise Invalid(BAD_REQUEST, AGAIN) from error
    # One at a time for a person: what follows reads and then writes.
    session.execute(select(Person.id).where(Person.id == invited.person_id).with_for_update())
    pending = open_request(session, invited.person_id)
    if pending is not None and pending.spki_sha256 == proven.spki_sha256:
        return pending
    if pending is not None:
        raise Conflict(_l("You have a request already."), _l("Wait until it is decided, then ask again."))
    check_key_is_new(session, proven.spki_sha256)
    current = register.current_of_person(session, invited.person_id, now=now, profiles=(invited.profile,))
    request = CertificateRequest(
        person_id=invited.person_id,
        agency_id=invited.agency_id,
        profile=invited.profile,
        spki_der=proven.spki_der,
        spki_sha256=proven.spki_sha256,
        state=RequestState.APPROVED,
        requested_by=None,
        requested_at=now,
        decided_at=now,
        supersedes_id=current.id if current else None,
    )
    session.add(request)
    session.flush()
    audit.record(
        session,
        actor,
        "certificate_requested",
        object_kind="certificate_request",
        object_id=request.id,
        agency_id=request.agency_id,
        spki_sha256=request.spki_sha256,
        campaign=str(invited.campaign_id),
    )
    enqueue(session, ISSUE_TASK, {"request_id": str(request.id)}, lock=f"request:{request.id}")
    return request
