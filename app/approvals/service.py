"""Asking for an act, deciding on it, and doing it when enough people have approved exactly what was asked.

An act is not edited: whoever wants something else withdraws it and asks again, which drops the votes. The rules stand
in the database too (migration 0009); here they are checked first, to answer in words.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account
from app.approvals import policy
from app.approvals.kinds import LIFETIME, ActKind, Description, kind_of, register
from app.approvals.models import Act, ActState, ActSubject, ActVote, Decision
from app.approvals.pauses import check_not_paused
from app.approvals.rates import check_rate
from app.approvals.reading import approvals_of, find, find_visible, pending
from app.audit import service as audit
from app.core.errors import AppError, Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, house
from app.registry import scope

__all__ = [
    "LIFETIME",
    "Act",
    "ActKind",
    "Description",
    "approve",
    "canonical",
    "check_rate",
    "expire",
    "find_visible",
    "pending",
    "refuse",
    "register",
    "request",
    "withdraw",
]


def canonical(
    kind: str,
    payload: Mapping[str, Any],
    *,
    agency_id: UUID | None,
    subject_person_ids: Sequence[UUID],
    object_kind: str,
    object_id: object,
) -> bytes:
    """Return the one form of a request that its digest is of: JSON with sorted keys, no spaces, UTF-8.

    Raises Invalid for a number that is not whole: it has more than one form.
    """
    _refuse_fractions(payload)
    content = {
        "agency": str(agency_id) if agency_id else None,
        "kind": kind,
        "object": [object_kind, str(object_id)],
        "payload": dict(payload),
        "subjects": sorted({str(subject) for subject in subject_person_ids}),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def request(
    session: Session,
    actor: Actor,
    kind: str,
    payload: Mapping[str, Any],
    *,
    agency_id: UUID | None,
    subject_person_ids: Sequence[UUID] = (),
    object_kind: str,
    object_id: object,
    now: datetime,
    idempotency_key: str | None = None,
) -> Act:
    """Ask for an act and return it; it is never executed here. Asking for the same while it is pending, or again with
    the same key, returns the first.

    Raises Forbidden without the permission over the agency, Conflict if the key was used for something else.
    """
    definition = kind_of(kind)
    if actor.account_id is None:
        raise Forbidden(_l("Such an act is asked for by a person with an account, so that another one can decide."))
    if not scope.covers(session, actor, definition.request_permission, agency_id):
        raise Forbidden(_l("Your account is not allowed to ask for this."))
    content = canonical(
        kind,
        payload,
        agency_id=agency_id,
        subject_person_ids=subject_person_ids,
        object_kind=object_kind,
        object_id=object_id,
    )
    expire(session, now=now)
    act_id = session.execute(
        insert(Act)
        .values(
            kind=kind,
            canonical=content,
            digest=hashlib.sha256(content).digest(),
            agency_id=agency_id,
            object_kind=object_kind,
            object_id=str(object_id),
            requested_by=actor.account_id,
            requested_at=now,
            idempotency_key=idempotency_key,
            approvals_needed=_approvals(definition),
            expires_at=now + definition.lifetime,
            state=ActState.PENDING,
        )
        .on_conflict_do_nothing()
        .returning(Act.id)
    ).scalar_one_or_none()
    if act_id is None:
        return _asked_before(session, actor.account_id, content, idempotency_key)
    act = session.get_one(Act, act_id)
    _record(session, actor, "act_requested", act)
    return act


def approve(session: Session, actor: Actor, act_id: UUID, *, digest: str, now: datetime) -> Act:
    """Approve what `digest` (hexadecimal) names; the last approval needed executes the act in this transaction.

    Approving again changes nothing. The act that returns is executed, failed, still pending, or refused because its
    requester may no longer ask for it. Raises NotFound, Forbidden for the requester, a subject and a paused officer,
    Conflict if the act is decided or expired, or is not the one that was shown.
    """
    act = _lock(session, actor, act_id)
    if not _is_digest(act, digest):
        raise Conflict(_l("This is not the request that you were shown. Nothing was approved."), _l("Read it again."))
    if _voted(session, actor, act) == Decision.APPROVE:
        return act
    check_not_paused(session, actor, act.agency_id)
    _check_open(act, now)
    if not _requester_still_may(session, act):
        note = str(_l("The requester is no longer allowed to ask for this."))
        return _end(session, house("requester_lost_the_right"), act, ActState.REFUSED, "act_refused", now, note)
    _check_eligible(session, actor, act)
    _vote(session, actor, act, Decision.APPROVE, now)
    _record(session, actor, "act_approved", act)
    needed = max(act.approvals_needed, _approvals(kind_of(act.kind)))
    if approvals_of(session, act.id) >= needed:
        _execute(session, act, now)
    return act


def refuse(session: Session, actor: Actor, act_id: UUID, *, note: str, now: datetime) -> Act:
    """Refuse with a reason that the requester reads; one refusal ends the act. Refusing again changes nothing."""
    act = _lock(session, actor, act_id)
    if _voted(session, actor, act) == Decision.REFUSE:
        return act
    _check_open(act, now)
    _check_eligible(session, actor, act)
    if not note.strip():
        raise Invalid(_l("Write the reason: the person who asked reads it."))
    _vote(session, actor, act, Decision.REFUSE, now)
    return _end(session, actor, act, ActState.REFUSED, "act_refused", now, note.strip())


def withdraw(session: Session, actor: Actor, act_id: UUID, *, now: datetime) -> Act:
    """Take back one's own request. Withdrawing again changes nothing; anybody else's is NotFound."""
    act = session.get(Act, act_id, with_for_update=True, populate_existing=True)
    if act is None or act.requested_by != actor.account_id:
        raise NotFound(_l("There is no such request."))
    if act.state == ActState.WITHDRAWN:
        return act
    _check_open(act, now)
    return _end(session, actor, act, ActState.WITHDRAWN, "act_withdrawn", now)


def expire(session: Session, *, now: datetime) -> int:
    """End every pending act whose time is over and return how many."""
    ended = session.scalars(
        update(Act)
        .where(Act.state == ActState.PENDING, Act.expires_at <= now)
        .values(state=ActState.EXPIRED, decided_at=now)
        .returning(Act)
    ).all()
    for act in ended:
        _record(session, house("approvals.expire"), "act_expired", act)
    return len(ended)


def _execute(session: Session, act: Act, now: datetime) -> None:
    """Do it, in a savepoint: what cannot be done leaves nothing behind but the sentence that says why."""
    actor = house(f"act:{act.id}")
    try:
        with session.begin_nested():
            kind_of(act.kind).execute(session, actor, act, now)
            session.flush()
    except AppError as error:
        _end(session, actor, act, ActState.FAILED, "act_failed", now, str(error.sentence))
        return
    _end(session, actor, act, ActState.EXECUTED, "act_executed", now)


def _end(
    session: Session, actor: Actor, act: Act, state: ActState, word: str, now: datetime, note: str | None = None
) -> Act:
    act.state, act.decided_at, act.failure = state, now, note
    session.flush()
    _record(session, actor, word, act)
    return act


def _lock(session: Session, actor: Actor, act_id: UUID) -> Act:
    """Return an act that the actor may decide on, its row locked. Raises NotFound."""
    act = find(session, act_id)
    if act is None or not scope.covers(session, actor, kind_of(act.kind).permission, act.agency_id):
        raise NotFound(_l("There is no such request."))
    return session.get_one(Act, act_id, with_for_update=True, populate_existing=True)


def _check_open(act: Act, now: datetime) -> None:
    state = act.state_at(now)
    if state is ActState.EXPIRED:
        raise Conflict(_l("The time to decide on this request is over. Nothing was done."), _l("Ask for it again."))
    if state is not ActState.PENDING:
        raise Conflict(_l("This request was decided already."), _l("Go back to the list."))


def _check_eligible(session: Session, actor: Actor, act: Act) -> None:
    if actor.account_id is None:
        raise Forbidden(_l("Only a person decides on a request."))
    if actor.account_id == act.requested_by:
        raise Forbidden(_l("You cannot decide on your own request."), _l("Ask a colleague to look at it."))
    if _is_about(session, act, actor):
        raise Forbidden(_l("This act is about you, so another person decides."), _l("Ask a colleague to look at it."))
    if _voted(session, actor, act) is not None:
        raise Conflict(_l("You have decided on this request already."))


def _is_about(session: Session, act: Act, actor: Actor) -> bool:
    if act.object_kind == "account" and act.object_id == str(actor.account_id):
        return True
    return actor.person_id is not None and session.get(ActSubject, (act.id, actor.person_id)) is not None


def _voted(session: Session, actor: Actor, act: Act) -> Decision | None:
    vote = session.get(ActVote, (act.id, actor.account_id)) if actor.account_id else None
    return Decision(vote.decision) if vote else None


def _vote(session: Session, actor: Actor, act: Act, decision: Decision, now: datetime) -> None:
    session.add(
        ActVote(
            act_id=act.id,
            account_id=actor.account_id,
            requested_by=act.requested_by,
            digest=act.digest,
            decision=decision,
            voted_at=now,
        )
    )
    session.flush()


def _requester_still_may(session: Session, act: Act) -> bool:
    account = session.get_one(Account, act.requested_by, populate_existing=True)
    permission = kind_of(act.kind).request_permission
    return account.disabled_at is None and scope.covers(session, accounts.actor_of(account), permission, act.agency_id)


def _asked_before(session: Session, account_id: UUID, content: bytes, key: str | None) -> Act:
    digest = hashlib.sha256(content).digest()
    by_key = select(Act).where(Act.requested_by == account_id, Act.idempotency_key == key)
    found = session.scalar(by_key) if key is not None else None
    if found is not None and found.digest != digest:
        raise Conflict(_l("This key was used for another request. Nothing was changed."))
    if found is not None:
        return found
    same = Act.digest == digest, Act.state == ActState.PENDING
    return session.scalars(select(Act).where(Act.requested_by == account_id, *same)).one()


def _approvals(kind: ActKind) -> int:
    return max(kind.approvals, policy.current().approvers.get(kind.name, 1), 1)


def _is_digest(act: Act, shown: str) -> bool:
    return hmac.compare_digest(act.digest_hex.encode(), shown.strip().lower().encode())


def _refuse_fractions(value: object) -> None:
    if isinstance(value, float):
        raise Invalid(_l("The request could not be read. Nothing was changed."))
    if isinstance(value, Mapping):
        for inner in value.values():
            _refuse_fractions(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_fractions(inner)


def _record(session: Session, actor: Actor, word: str, act: Act) -> None:
    audit.record(
        session,
        actor,
        word,
        object_kind="act",
        object_id=act.id,
        agency_id=act.agency_id,
        kind=act.kind,
        digest=act.digest_hex,
    )
