"""Acts on the keys of authorities that two administrators decide on: the next generation, the end of one."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.approvals import service as approvals
from app.approvals.models import Act, ActState, ActVote, Decision
from app.certificates import authority_generations, words
from app.certificates.authority_generations import Approval
from app.certificates.models import Authority
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.core.settings import Settings
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

KIND: Final = "authority_key"
ROLL_OVER_TASK: Final = "certificates.roll_over"


def ask_to_roll_over(session: Session, actor: Actor, name: str, *, now: datetime) -> Act:
    """Ask for the next generation of an authority. Raises NotFound, Conflict for one that is not the newest."""
    authority = _find(session, name)
    number = authority_generations.next_number(session, ProfileName(authority.profile))
    if authority.generation + 1 != number or authority.issuer_id is None:
        raise Conflict(_l("Only the newest generation of an authority is followed by another."))
    return _ask(session, actor, authority, {"act": "roll_over", "generation": number}, now=now)


def ask_to_revoke(session: Session, actor: Actor, name: str, reason: RevocationReason, *, now: datetime) -> Act:
    """Ask to put an authority's own certificate on the root's list. Raises NotFound, Conflict, Forbidden."""
    authority = _find(session, name)
    if authority.issuer_id is None or authority.revoked_at is not None:
        raise Conflict(_l("This authority cannot be revoked."), _l("Nothing was changed."))
    if reason not in authority_generations.REASONS:
        raise Forbidden(_l("This reason cannot be given here."), _l("Choose another reason."))
    return _ask(session, actor, authority, {"act": "revoke", "reason": int(reason)}, now=now)


def roll_over(session: Session, settings: Settings, house: Actor, act_id: UUID, *, now: datetime) -> Authority:
    """Do what an executed act decided; `worker` calls this, for it needs the root's key. Repeating changes nothing."""
    act = session.get_one(Act, act_id)
    if act.kind != KIND or act.state != ActState.EXECUTED or act.payload["act"] != "roll_over":
        raise Conflict(_l("This act was not approved."))
    profile = ProfileName(_find(session, act.object_id).profile)
    approval = _approval(session, act)
    return authority_generations.roll_over(
        session, settings, profile, int(act.payload["generation"]), actor=house, approval=approval, now=now
    )


def _ask(session: Session, actor: Actor, authority: Authority, payload: dict[str, str | int], *, now: datetime) -> Act:
    return approvals.request(
        session, actor, KIND, payload, agency_id=None, object_kind="authority", object_id=authority.name, now=now
    )


def _find(session: Session, name: str) -> Authority:
    found = session.scalar(select(Authority).where(Authority.name == name))
    if found is None:
        raise NotFound(_l("There is no such authority."))
    return found


def _approval(session: Session, act: Act) -> Approval:
    voters = select(ActVote.account_id).where(ActVote.act_id == act.id, ActVote.decision == Decision.APPROVE)
    logins = session.scalars(select(Account.login).where((Account.id == act.requested_by) | Account.id.in_(voters)))
    return Approval(tuple(sorted(logins)))


def _execute(session: Session, house: Actor, act: Act, now: datetime) -> None:
    authority = _find(session, act.object_id)
    if act.payload["act"] == "revoke":
        reason, approval = RevocationReason(int(act.payload["reason"])), _approval(session, act)
        authority_generations.revoke(session, authority.name, reason=reason, actor=house, approval=approval, now=now)
        return
    if authority_generations.next_number(session, ProfileName(authority.profile)) != act.payload["generation"]:
        raise Conflict(_l("This is not the next generation of the authority."), _l("Nothing was changed."))
    enqueue(session, ROLL_OVER_TASK, {"act_id": str(act.id)}, queueing_lock=f"{ROLL_OVER_TASK}:{act.id}")


def _describe(session: Session, act: Act) -> approvals.Description:
    authority = _find(session, act.object_id)
    name = (_l("Authority"), authority.name)
    if act.payload["act"] == "revoke":
        reason = words.REASONS[int(act.payload["reason"])]
        return approvals.Description(
            _l("Revoke the authority %(name)s", name=authority.name),
            rows=(name, (_l("Reason"), reason)),
            impact=(
                _l("It issues nothing more, and nothing that it issued is valid any more."),
                _l("Only signatures with a timestamp from before stay provable."),
            ),
            confirmation=authority.name,
        )
    return approvals.Description(
        _l("Next generation of the authority %(name)s", name=authority.name),
        rows=(name, (_l("Generation"), str(act.payload["generation"]))),
        impact=(
            _l("It gets a new key, new lists and a new responder, and issues everything from then on."),
            _l("The one before issues nothing more. What it issued stays valid, its lists go on."),
        ),
    )


approvals.register(
    approvals.ActKind(
        name=KIND,
        permission=Permission.REVOKE_CERTIFICATES,
        approvals=1,
        lifetime=approvals.LIFETIME,
        execute=_execute,
        describe=_describe,
    )
)
