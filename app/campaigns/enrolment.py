"""What a person does behind the link of their invitation: show who they are, send a request, see and suspend it.

The link alone opens nothing: the last four digits of the citizen number are asked, five times at the most. They are no
strong secret; they keep out who finds a letter, as the one-time link keeps out who knows the number.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.campaigns import invitations, tokens
from app.campaigns.models import Campaign, CampaignState, Invitation, Row
from app.campaigns.people_rows import tail_index
from app.certificates import register, revocations
from app.certificates.invited_requests import Invited, issuance_for_invitation
from app.certificates.models import Certificate, CertificateRequest, RequestState
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor
from app.core.settings import Settings
from app.registry import service as registry
from app.registry.models import Agency, Person
from pki.profiles import ProfileName

TRIES: Final = 5


class Stage(StrEnum):
    """Where an invitation stands."""

    OPEN = "open"
    LOCKED = "locked"
    EXPIRED = "expired"
    # The campaign was stopped before the link was used.
    ENDED = "ended"
    REQUESTED = "requested"
    FAILED = "failed"
    CERTIFIED = "certified"


@dataclass(frozen=True)
class Enrolment:
    """An invitation with what its page shows."""

    invitation: Invitation
    campaign: Campaign
    person: Person
    agency: Agency | None
    stage: Stage
    certificate: Certificate | None


def find(session: Session, token: str, *, now: datetime) -> Enrolment:
    """Return the enrolment behind a link. Raises NotFound, also for a link that was replaced by a new one."""
    invitation = session.scalar(select(Invitation).where(Invitation.token_sha256 == tokens.digest_of(token)))
    if invitation is None:
        raise NotFound(
            _l("This link does not work, or it was replaced by a newer one."),
            _l("Look for a newer letter, or call us."),
        )
    return read(session, invitation, now=now)


def read(session: Session, invitation: Invitation, *, now: datetime) -> Enrolment:
    """Return an invitation with its person, campaign and certificate."""
    campaign = session.get_one(Campaign, invitation.campaign_id)
    row = session.get(Row, (campaign.id, invitation.row_number))
    agency = registry.agency(session, row.agency_id) if row is not None and row.agency_id else None
    request = session.get(CertificateRequest, invitation.request_id) if invitation.request_id else None
    issued = request.certificate_id if request is not None and request.state == RequestState.ISSUED else None
    return Enrolment(
        invitation,
        campaign,
        registry.person(session, invitation.person_id),
        agency,
        _stage(invitation, campaign, request, now),
        register.find(session, issued) if issued else None,
    )


def answer(session: Session, settings: Settings, enrolment: Enrolment, digits: str, *, now: datetime) -> bool:
    """Say whether these are the last four digits of the person's number; a wrong answer is counted.

    The caller commits in either case. Raises Forbidden once five were wrong.
    """
    invitation = enrolment.invitation
    session.refresh(invitation, with_for_update=True)
    if invitation.wrong_answers >= TRIES:
        raise Forbidden(_l("There were five wrong answers, so this link is locked."), _l("Call us for a new one."))
    row = session.get(Row, (enrolment.campaign.id, invitation.row_number))
    if row is None or row.number_index is None or row.tail_index is None:
        raise Conflict(_l("This campaign ended long ago, and its data was deleted."), _l("Call us for help."))
    given = tail_index(settings, digits if digits.isascii() else "", row.number_index)
    if hmac.compare_digest(given, row.tail_index):
        if invitation.opened_at is None:
            invitation.opened_at = now
        invitation.wrong_answers = 0
        return True
    invitation.wrong_answers += 1
    if invitation.wrong_answers >= TRIES:
        _record(session, _actor(enrolment), "enrolment_locked", enrolment)
    return False


def new_challenge(session: Session, enrolment: Enrolment) -> str:
    """Return what the request must carry (43 characters); the newest one counts."""
    _check_open(enrolment)
    value = secrets.token_urlsafe(32)
    session.execute(
        update(Invitation)
        .where(Invitation.id == enrolment.invitation.id)
        .values(challenge_sha256=_digest(value))
        .execution_options(synchronize_session=False)
    )
    return value


def submit(session: Session, enrolment: Enrolment, csr_der: bytes, challenge: str, *, now: datetime) -> UUID:
    """Send the request of this person and return it; the approved campaign is its approval.

    Sending the same one again returns the same. Raises Invalid, Conflict if the link was used with another key.
    """
    invitation = enrolment.invitation
    session.refresh(invitation, with_for_update=True)
    if enrolment.stage is Stage.FAILED:
        invitation.request_id = None
        session.flush()
    elif invitation.request_id is not None:
        return _same_request(session, invitation.request_id, csr_der)
    else:
        _check_open(enrolment)
    expected = invitation.challenge_sha256 or b""
    if not hmac.compare_digest(_digest(challenge), expected):
        raise Invalid(
            _l("The page was open in another window meanwhile. Nothing was changed."),
            _l("Reload the page and try again."),
        )
    row = session.get_one(Row, (enrolment.campaign.id, invitation.row_number))
    invited = Invited(
        invitation.person_id, row.agency_id, ProfileName(enrolment.campaign.profile), enrolment.campaign.id
    )
    request = issuance_for_invitation(session, _actor(enrolment), invited, csr_der, challenge, now=now)
    invitations.mark_used(session, invitation, request.id, now=now)
    return request.id


def suspend(session: Session, enrolment: Enrolment, *, now: datetime) -> None:
    """Let the holder put the certificate of this invitation on hold at once."""
    if enrolment.certificate is None:
        raise NotFound(_l("There is no such certificate."))
    revocations.suspend_own(session, _actor(enrolment), enrolment.certificate.id, now=now)


def ask_again(session: Session, enrolment: Enrolment, *, now: datetime) -> None:
    """Tell the officers that the person has lost the browser with the key. Asking twice changes nothing."""
    session.execute(
        update(Invitation)
        .where(Invitation.id == enrolment.invitation.id, Invitation.asked_again_at.is_(None))
        .values(asked_again_at=now)
        .execution_options(synchronize_session=False)
    )


def _stage(invitation: Invitation, campaign: Campaign, request: CertificateRequest | None, now: datetime) -> Stage:
    if request is not None:
        found = {RequestState.ISSUED: Stage.CERTIFIED, RequestState.FAILED: Stage.FAILED}
        return found.get(RequestState(request.state), Stage.REQUESTED)
    if invitation.wrong_answers >= TRIES:
        return Stage.LOCKED
    if campaign.state == CampaignState.STOPPED:
        return Stage.ENDED
    return Stage.EXPIRED if now >= invitation.expires_at else Stage.OPEN


def _check_open(enrolment: Enrolment) -> None:
    if enrolment.stage not in (Stage.OPEN, Stage.FAILED):
        raise Conflict(_l("This link cannot be used any more."), _l("Open it again to see why."))


def _same_request(session: Session, request_id: UUID, csr_der: bytes) -> UUID:
    request = session.get_one(CertificateRequest, request_id)
    if request.spki_der not in csr_der:
        raise Conflict(_l("This link was used already."), _l("Open it again to see your certificate."))
    return request_id


def _actor(enrolment: Enrolment) -> Actor:
    """The person, who has no account yet; the log names the invitation."""
    return Actor(None, enrolment.person.id, f"enrolment:{enrolment.invitation.id}", ())


def _record(session: Session, actor: Actor, act: str, enrolment: Enrolment) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="enrolment_invitation",
        object_id=enrolment.invitation.id,
        agency_id=enrolment.campaign.agency_id,
        campaign=str(enrolment.campaign.id),
    )


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
