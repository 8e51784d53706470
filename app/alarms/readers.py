"""Who is told of an alarm."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account, RoleGrant
from app.alarms.models import Alarm
from app.core.permissions import Permission, Role
from app.registry import scope
from app.registry.models import Person


def of(session: Session, alarm: Alarm) -> Sequence[tuple[UUID, str]]:
    """Return account and address of every administrator who may close `alarm` and has an address."""
    query = (
        select(Account, Person.email)
        .join(Person, Person.id == Account.person_id)
        .where(
            exists().where(RoleGrant.account_id == Account.id, RoleGrant.role == Role.ADMINISTRATOR),
            Account.disabled_at.is_(None),
            Person.email.is_not(None),
        )
        .order_by(Account.login)
    )
    return [
        (account.id, email)
        for account, email in session.execute(query)
        if email and scope.covers(session, accounts.actor_of(account), Permission.CLOSE_ALARMS, alarm.agency_id)
    ]
