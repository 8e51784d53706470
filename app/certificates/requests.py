"""Requests for a certificate: asked with proof of possession, approved or refused by somebody else, then queued."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.audit import service as audit
from app.certificates import register
from app.certificates.models import BlockedKey, Certificate, CertificateRequest, Challenge, RequestState
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Person
from pki import csr
from pki.errors import CsrRejected
from pki.profiles import ProfileName

CHALLENGE_LIFE: Final = timedelta(minutes=10)
ISSUE_TASK: Final = "certificates.issue"
PAGE: Final = 50
_OPEN: Final = (RequestState.REQUESTED, RequestState.APPROVED)
BAD_REQUEST: Final = _l("The request from your browser could not be used. Nothing was changed.")
AGAIN: Final = _l("Reload the page and try again.")


def new_challenge(session: Session, actor: Actor, *, now: datetime) -> str:
    """Return what the next request of this account must carry (43 characters); good once, for ten minutes."""
    value = secrets.token_urlsafe(32)
    session.add(Challenge(account_id=account_of(actor), value_sha256=_digest(value), expires_at=now + CHALLENGE_LIFE))
    session.flush()
    return value


def submit(session: Session, actor: Actor, csr_der: bytes, challenge: str, *, now: datetime) -> CertificateRequest:
    """Store a request of the actor for themselves; sending the same one again returns the same request.

    Raises Invalid if it proves nothing, Conflict if another request is open or the key was used or blocked.
    """
    try:
        proven = csr.parse_with_challenge(csr_der, challenge)
    except CsrRejected as error:
        raise Invalid(BAD_REQUEST, AGAIN) from error
    person = registry.person(session, person_of(actor))
    # One at a time for a person: what follows reads and then writes.
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    repeated = session.scalar(
        select(CertificateRequest).where(
            CertificateRequest.person_id == person.id,
            CertificateRequest.spki_sha256 == proven.spki_sha256,
            CertificateRequest.state != RequestState.REFUSED,
        )
    )
    if repeated is not None:
        return repeated
    use_challenge(session, actor, challenge, now)
    check_key_is_new(session, proven.spki_sha256)
    if open_request(session, person.id) is not None:
        raise Conflict(_l("You have a request already."), _l("Wait until it is decided, then ask again."))
    post = person.current_post
    current = register.current_of_person(session, person.id, now=now)
    request = CertificateRequest(
        person_id=person.id,
        agency_id=post.agency_id if post else None,
        profile=ProfileName.OFFICIAL_SIGNING if post else ProfileName.CITIZEN_SIGNING,
        spki_der=proven.spki_der,
        spki_sha256=proven.spki_sha256,
        state=RequestState.REQUESTED,
        requested_by=account_of(actor),
        requested_at=now,
        supersedes_id=current.id if current else None,
    )
    session.add(request)
    session.flush()
    _record(session, actor, "certificate_requested", request)
    return request


def open_request(session: Session, person_id: UUID) -> CertificateRequest | None:
    """Return the person's request that is not ended, if there is one."""
    return session.scalar(
        select(CertificateRequest).where(CertificateRequest.person_id == person_id, CertificateRequest.state.in_(_OPEN))
    )


def newest_request(session: Session, person_id: UUID) -> CertificateRequest | None:
    query = select(CertificateRequest).where(CertificateRequest.person_id == person_id)
    return session.scalar(query.order_by(CertificateRequest.requested_at.desc()).limit(1))


def of_person(session: Session, person_id: UUID) -> Sequence[CertificateRequest]:
    """Return every request of a person, newest first."""
    query = select(CertificateRequest).where(CertificateRequest.person_id == person_id)
    return session.scalars(query.order_by(CertificateRequest.requested_at.desc())).all()


def pending(
    session: Session, actor: Actor, *, after: tuple[datetime, UUID] | None = None, many: int | None = None
) -> Sequence[tuple[CertificateRequest, Person]]:
    """Return what the actor may decide on, oldest first; their own requests are not among it.

    `after` is time and identifier of the last one of the page before, `many` the size of a page.
    """
    query = (
        select(CertificateRequest, Person)
        .join(Person, Person.id == CertificateRequest.person_id)
        .where(
            CertificateRequest.state == RequestState.REQUESTED,
            CertificateRequest.requested_by != actor.account_id,
            scope.within(actor, Permission.APPROVE_CERTIFICATES, CertificateRequest.agency_id),
        )
        .order_by(CertificateRequest.requested_at, CertificateRequest.id)
        .limit(many)
    )
    if after is not None:
        query = query.where(tuple_(CertificateRequest.requested_at, CertificateRequest.id) > after)
    return [(request, person) for request, person in session.execute(query)]


def find_for_decision(session: Session, actor: Actor, request_id: UUID) -> tuple[CertificateRequest, Person]:
    """Return a request in the actor's scope. Raises NotFound."""
    found = session.get(CertificateRequest, request_id)
    if found is None or not scope.covers(session, actor, Permission.APPROVE_CERTIFICATES, found.agency_id):
        raise NotFound(_l("There is no such request."))
    return found, registry.person(session, found.person_id)


def approve(session: Session, actor: Actor, request_id: UUID, *, now: datetime) -> CertificateRequest:
    """Approve, and queue the issuing in the same transaction. Approving again changes nothing.

    Raises Forbidden for the requester and the subject, Conflict if it was refused meanwhile, TooMany over the rate.
    """
    return _decide(session, actor, request_id, RequestState.APPROVED, None, now=now)


def refuse(session: Session, actor: Actor, request_id: UUID, *, note: str, now: datetime) -> CertificateRequest:
    """Refuse with a reason that the person will read. Refusing again changes nothing."""
    return _decide(session, actor, request_id, RequestState.REFUSED, note.strip(), now=now)


def _decide(
    session: Session, actor: Actor, request_id: UUID, to: RequestState, note: str | None, *, now: datetime
) -> CertificateRequest:
    request, person = find_for_decision(session, actor, request_id)
    if to == RequestState.APPROVED and request.state == RequestState.REQUESTED:
        approvals.check_rate(session, actor, "certificate_approval", request.agency_id, 1, now)
    if actor.account_id == request.requested_by or actor.person_id == person.id:
        raise Forbidden(_l("You cannot decide on your own request."), _l("Ask another registration officer."))
    changed = session.execute(
        update(CertificateRequest)
        .where(CertificateRequest.id == request_id, CertificateRequest.state == RequestState.REQUESTED)
        .values(state=to, decided_by=actor.account_id, decided_at=now, note=note)
        .returning(CertificateRequest.id)
    ).scalar_one_or_none()
    session.refresh(request)
    if changed is None:
        if request.state == to or (to == RequestState.APPROVED and request.state == RequestState.ISSUED):
            return request
        raise Conflict(_l("This request was decided already."), _l("Go back to the list."))
    if to == RequestState.APPROVED:
        enqueue(session, ISSUE_TASK, {"request_id": str(request_id)}, lock=f"request:{request_id}")
    _record(session, actor, f"certificate_request_{to}", request)
    return request


def use_challenge(session: Session, actor: Actor, challenge: str, now: datetime) -> None:
    """Use up a challenge of the account. Raises Invalid if it is unknown, old or used."""
    used = session.execute(
        update(Challenge)
        .where(
            Challenge.value_sha256 == _digest(challenge),
            Challenge.account_id == actor.account_id,
            Challenge.used_at.is_(None),
            Challenge.expires_at > now,
        )
        .values(used_at=now)
        .returning(Challenge.id)
    ).scalar_one_or_none()
    if used is None:
        raise Invalid(BAD_REQUEST, AGAIN)


def check_key_is_new(session: Session, spki_sha256: str) -> None:
    """Return if nobody ever had a certificate for the key and it was never lost. Raises Conflict."""
    used = session.scalar(select(Certificate.id).where(Certificate.spki_sha256 == spki_sha256).limit(1))
    if used is not None or session.get(BlockedKey, spki_sha256) is not None:
        raise Conflict(_l("This key was used before."), _l("Make a new key and ask again."))


def _record(session: Session, actor: Actor, act: str, request: CertificateRequest) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="certificate_request",
        object_id=request.id,
        agency_id=request.agency_id,
        spki_sha256=request.spki_sha256,
    )


def account_of(actor: Actor) -> UUID:
    """Return the account of a person. Raises Forbidden for the house."""
    if actor.account_id is None:
        raise Forbidden(_l("Only a signed-in person can ask for a certificate."))
    return actor.account_id


def person_of(actor: Actor) -> UUID:
    """Return the person of an account. Raises Forbidden for an account without one."""
    if actor.person_id is None:
        raise Forbidden(_l("Your account is not linked to a person in the registry."))
    return actor.person_id


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
