"""Certificates bound to a post or an agency that is no more: the house proposes, an administrator decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, case, exists, func, literal, select, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.alarms import service as alarms
from app.audit import service as audit
from app.certificates import revocations
from app.certificates.impact import Chosen
from app.certificates.life_models import Cause, Decision, Proposal
from app.certificates.models import Certificate, CertificateState
from app.core.errors import Conflict, NotFound
from app.core.permissions import Actor, Permission, house
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Agency, Post
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

PATIENCE: Final = timedelta(hours=24)
SHOWN: Final = 200
_ALIVE: Final = (CertificateState.ISSUED, CertificateState.HELD)
_REASONS: Final = {
    Cause.LEFT_POST: RevocationReason.AFFILIATION_CHANGED,
    Cause.AGENCY_MERGED: RevocationReason.CESSATION_OF_OPERATION,
}
_OF_AGENCIES: Final = (ProfileName.AGENCY_SEAL, ProfileName.PASS_SIGNER)


@dataclass(frozen=True)
class Proposed:
    proposal: Proposal
    certificate: Certificate
    agency: Agency | None


def propose(session: Session, actor: Actor, *, now: datetime) -> int:
    """Propose to end every certificate whose post or agency is no more; return how many are new.

    Looks at the registry as it is, so that nothing is missed whoever changed it, and closes what settled itself.
    """
    settled = exists().where(Certificate.id == Proposal.certificate_id, Certificate.state.not_in(_ALIVE))
    session.execute(
        update(Proposal).where(Proposal.decided_at.is_(None), settled).values(decision=Decision.REVOKE, decided_at=now)
    )
    still_there = exists().where(
        Post.person_id == Certificate.person_id, Post.agency_id == Certificate.agency_id, Post.ended_at.is_(None)
    )
    merged = Agency.merged_into_id.is_not(None)
    # Each of the two begins at the few posts that ended or agencies that were merged, never at the million
    # certificates: a list of all of them would be read every hour.
    without_post = select(Certificate.id).where(
        Certificate.person_id.in_(select(Post.person_id).where(Post.ended_at.is_not(None))),
        Certificate.profile == ProfileName.OFFICIAL_SIGNING,
        ~still_there,
    )
    without_agency = select(Certificate.id).where(
        Certificate.agency_id.in_(select(Agency.id).where(merged)), Certificate.profile.in_(_OF_AGENCIES)
    )
    found = (
        select(
            func.gen_random_uuid(),
            Certificate.id,
            Certificate.agency_id,
            case((merged, literal(Cause.AGENCY_MERGED.value)), else_=literal(Cause.LEFT_POST.value)),
            literal(now),
        )
        .join(Agency, Agency.id == Certificate.agency_id)
        .where(
            Certificate.state.in_(_ALIVE),
            Certificate.not_after > now,
            Certificate.id.in_(union(without_post, without_agency)),
            ~exists().where(Proposal.certificate_id == Certificate.id),
        )
    )
    columns = ["id", "certificate_id", "agency_id", "cause", "proposed_at"]
    added = session.execute(
        insert(Proposal).from_select(columns, found).on_conflict_do_nothing().returning(Proposal.id)
    ).scalars()
    count = len(added.all())
    if count:
        audit.record(
            session, actor, "certificates_proposed", object_kind="certificate_proposal", object_id=uuid4(), count=count
        )
    return count


def warn(session: Session, *, now: datetime) -> None:
    """Raise an alarm for each agency with a proposal that nobody decided on for a day."""
    overdue = session.execute(
        update(Proposal)
        .where(Proposal.decided_at.is_(None), Proposal.alarmed_at.is_(None), Proposal.proposed_at <= now - PATIENCE)
        .values(alarmed_at=now)
        .returning(Proposal.agency_id)
    ).scalars()
    for agency_id in set(overdue):
        alarms.raise_alarm(
            session, "proposals_waiting", object_kind="agency", object_id=agency_id or "city", agency_id=agency_id
        )


def pending(session: Session, actor: Actor) -> Sequence[Proposed]:
    """Return the oldest open proposals in the actor's scope, at most SHOWN of them."""
    query = (
        select(Proposal, Certificate, Agency)
        .join(Certificate, Certificate.id == Proposal.certificate_id)
        .outerjoin(Agency, Agency.id == Proposal.agency_id)
        .where(*_open(actor))
        .order_by(Proposal.proposed_at, Certificate.search_name)
        .limit(SHOWN)
    )
    return [Proposed(*row) for row in session.execute(query).unique().tuples()]


def count_pending(session: Session, actor: Actor) -> int:
    return session.scalar(select(func.count()).select_from(Proposal).where(*_open(actor))) or 0


def pending_certificates(actor: Actor) -> Chosen:
    """Return the query of all certificates that are proposed in the actor's scope, for a bulk act."""
    return select(Proposal.certificate_id).where(*_open(actor))


def decide(session: Session, actor: Actor, proposal_id: UUID, decision: Decision, *, now: datetime) -> Proposal:
    """Suspend, revoke or keep the certificate of a proposal. Deciding the same again changes nothing.

    Raises NotFound outside the scope, Conflict if it was decided otherwise.
    """
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or not scope.covers(session, actor, Permission.REVOKE_CERTIFICATES, proposal.agency_id):
        raise NotFound(_l("There is no such proposal."))
    decided = session.execute(
        update(Proposal)
        .where(Proposal.id == proposal_id, Proposal.decided_at.is_(None))
        .values(decision=decision, decided_by=actor.account_id, decided_at=now)
        .returning(Proposal.id)
    ).scalar_one_or_none()
    session.refresh(proposal)
    if decided is None:
        if proposal.decision == decision:
            return proposal
        raise Conflict(_l("This proposal was decided already."), _l("Go back to the list."))
    if decision is Decision.KEEP:
        audit.record(
            session,
            actor,
            "certificate_kept",
            object_kind="certificate",
            object_id=proposal.certificate_id,
            agency_id=proposal.agency_id,
            cause=proposal.cause,
        )
        return proposal
    hold = RevocationReason.CERTIFICATE_HOLD
    reason = hold if decision is Decision.SUSPEND else _REASONS[Cause(proposal.cause)]
    revocations.revoke(session, actor, proposal.certificate_id, reason=reason, now=now)
    return proposal


def end_post(session: Session, actor: Actor, post_id: UUID, *, now: datetime) -> Post:
    """End a post and propose at once what hangs on it. Raises NotFound outside the scope."""
    post = registry.find_post(session, actor, Permission.REVOKE_CERTIFICATES, post_id)
    registry.end_post(session, post, actor=actor, now=now)
    propose(session, house("certificates.propose"), now=now)
    return post


def _open(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return (
        Proposal.decided_at.is_(None),
        # What was revoked on its own page asks for nothing any more.
        Proposal.certificate_id.in_(select(Certificate.id).where(Certificate.state.in_(_ALIVE))),
        scope.within(actor, Permission.REVOKE_CERTIFICATES, Proposal.agency_id),
    )
