"""The health of what is public: remember what a look found, raise alarms, read it again for the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.alarms import service as alarms
from app.core.permissions import Actor, Permission
from app.registry import scope
from app.status.findings import Finding, Judgement, Kind
from app.status.models import HealthCheck

# What is said when a thing of this kind is not as it should be (app/alarms/words.py).
ALARMS: Final = {
    Kind.CERTIFICATE: "status_unreachable",
    Kind.LIST: "crl_stale",
    Kind.OCSP: "ocsp_stale",
    Kind.RESPONDER: "responder_expiring",
    Kind.TIMESTAMP: "clock_moved",
    Kind.UNIT: "responder_expiring",
    Kind.SERVICE: "status_unreachable",
}


def record(session: Session, findings: Iterable[Finding], *, now: datetime) -> list[Finding]:
    """Remember what was found in place of the last look, and raise an alarm for what was not fine twice in a row.

    Twice, because a process that is being started again is not an emergency. Returns what alarms were raised about.
    """
    before = {
        target for (target,) in session.execute(select(HealthCheck.target).where(HealthCheck.state != Judgement.FINE))
    }
    alarming = []
    for one in findings:
        _put(session, one, now)
        if one.judgement is not Judgement.FINE and one.target in before:
            alarming.append(one)
    session.execute(delete(HealthCheck).where(HealthCheck.checked_at < now))
    for one in alarming:
        alarms.raise_alarm(session, _alarm(one), object_kind="endpoint", object_id=one.target, why=one.detail)
    return alarming


def checks(session: Session, actor: Actor) -> Sequence[HealthCheck]:
    """Return what the last look found, for those who may see the whole city; nobody else."""
    if not scope.covers(session, actor, Permission.READ_HEALTH, None):
        return []
    return session.scalars(select(HealthCheck).order_by(HealthCheck.target)).all()


def _alarm(one: Finding) -> str:
    # Whatever gives no answer at all is one thing, whichever address it was.
    unreachable = one.detail.startswith(("HTTP", "no answer"))
    return "status_unreachable" if unreachable else ALARMS[one.kind]


def _put(session: Session, one: Finding, now: datetime) -> None:
    row = {
        "kind": one.kind,
        "state": one.judgement,
        "detail": one.detail,
        "fresh_until": one.fresh_until,
        "checked_at": now,
    }
    session.execute(
        insert(HealthCheck).values(target=one.target, **row).on_conflict_do_update(index_elements=["target"], set_=row)
    )
