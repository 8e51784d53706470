"""A seal for an agency that has none: asked for by one administrator, approved by another, made by `worker`."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.certificates import register
from app.certificates.models import Certificate
from app.core.errors import Conflict, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.core.settings import Settings
from app.registry.models import Agency
from app.seals import service

KIND: Final = "agency_seal"
MAKE_TASK: Final = "seals.make"


def ask(session: Session, actor: Actor, agency: Agency, *, now: datetime) -> Act:
    """Ask for a seal. Raises Conflict for an agency that has a usable one, or that was merged into another."""
    if register.seal_of(session, agency.id, now=now) is not None or agency.merged_into_id is not None:
        raise Conflict(_l("This agency has a valid seal, or it was merged into another one."))
    return approvals.request(
        session, actor, KIND, {}, agency_id=agency.id, object_kind="agency", object_id=str(agency.id), now=now
    )


def make(session: Session, settings: Settings, house: Actor, act_id: UUID, *, now: datetime) -> Certificate | None:
    """Make the seal of an executed act; None if the agency has one by now. Raises Conflict for any other act."""
    act = session.get_one(Act, act_id)
    if act.kind != KIND or act.state != ActState.EXECUTED:
        raise Conflict(_l("This act was not approved."))
    return service.make(session, settings, _agency(session, act), actor=house, now=now)


def _agency(session: Session, act: Act) -> Agency:
    found = session.get(Agency, UUID(act.object_id))
    if found is None:
        raise NotFound(_l("There is no such agency, or it is not yours to see."))
    return found


def _execute(session: Session, house: Actor, act: Act, now: datetime) -> None:
    del house, now
    enqueue(session, MAKE_TASK, {"act_id": str(act.id)}, queueing_lock=f"{MAKE_TASK}:{act.id}")


def _describe(session: Session, act: Act) -> approvals.Description:
    agency = _agency(session, act)
    return approvals.Description(
        _l("Make a seal for the agency %(name)s", name=agency.name),
        rows=((_l("Agency"), agency.name), (_l("Code"), agency.code)),
        impact=(
            _l("Its clerks can then number and seal what its head has signed."),
            _l("The key stays in the city's own custody; nobody can take it away."),
        ),
    )


approvals.register(
    approvals.ActKind(
        name=KIND,
        permission=Permission.MANAGE_PROFILES,
        approvals=1,
        lifetime=approvals.LIFETIME,
        execute=_execute,
        describe=_describe,
    )
)
