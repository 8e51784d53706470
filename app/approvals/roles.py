"""Roles of accounts: granting one takes two people, taking one away takes effect at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, func, or_, select, true
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account, RoleGrant
from app.approvals import service
from app.approvals.kinds import LIFETIME, ActKind, Description, register
from app.approvals.models import Act
from app.approvals.words import role_name
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.permissions import Actor, Permission, Role
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Agency, Person
from app.registry.search import fold, pattern

PAGE: Final = 50
ROLE_GRANT: Final = "role_grant"
# What half a million people hold; the list of accounts begins with the others.
_ORDINARY: Final = (Role.CITIZEN, Role.OFFICIAL)


def search(session: Session, actor: Actor, text: str) -> Sequence[Account]:
    """Return up to a page of the accounts in the actor's scope by name; without text, those with a special role."""
    query = select(Account).outerjoin(Person, Person.id == Account.person_id).where(_in_scope(actor))
    if fold(text):
        name = pattern(text)
        query = query.where(or_(Person.search_name.like(name), func.lower(Account.login).like(name)))
    else:
        special = exists().where(RoleGrant.account_id == Account.id, RoleGrant.role.not_in(_ORDINARY))
        query = query.where(special)
    return session.scalars(query.order_by(Account.label).limit(PAGE)).all()


def find_account(session: Session, actor: Actor, account_id: UUID) -> Account:
    """Return an account in the actor's scope. Raises NotFound."""
    account = session.scalar(select(Account).where(Account.id == account_id, _in_scope(actor)))
    if account is None:
        raise NotFound(_l("There is no such account."))
    return account


def agencies(session: Session, actor: Actor) -> Sequence[Agency]:
    """Return the agencies over which the actor may grant a role."""
    inside = scope.within(actor, Permission.MANAGE_ACCOUNTS, Agency.id)
    return session.scalars(select(Agency).where(inside).order_by(Agency.path)).all()


def may_grant_city(session: Session, actor: Actor) -> bool:
    return scope.covers(session, actor, Permission.MANAGE_ACCOUNTS, None)


def ask_for_role(
    session: Session, actor: Actor, account_id: UUID, role: Role, *, agency_id: UUID | None, now: datetime
) -> Act:
    """Ask for a role to be granted; another administrator approves. Nobody asks for themselves."""
    account = find_account(session, actor, account_id)
    if account.id == actor.account_id:
        raise Forbidden(_l("Nobody grants a role to themselves."), _l("Ask another administrator to begin."))
    _check_grantable(account, role, agency_id)
    if agency_id is not None:
        registry.agency(session, agency_id)
    payload = {"account": str(account.id), "role": role.value, "agency": str(agency_id) if agency_id else None}
    return service.request(
        session,
        actor,
        ROLE_GRANT,
        payload,
        agency_id=agency_id,
        subject_person_ids=[account.person_id] if account.person_id else [],
        object_kind="account",
        object_id=account.id,
        now=now,
    )


def withdraw_role(session: Session, actor: Actor, account_id: UUID, grant_id: UUID) -> None:
    """Take a role away at once; taking it away twice changes nothing. Raises NotFound outside the actor's scope."""
    account = find_account(session, actor, account_id)
    held = next((grant for grant in account.grants if grant.id == grant_id), None)
    if held is None:
        return
    if not scope.covers(session, actor, Permission.MANAGE_ACCOUNTS, held.agency_id):
        raise NotFound(_l("There is no such account."))
    if held.role == Role.ADMINISTRATOR and held.agency_id is None:
        _check_two_administrators_stay(session, account.id)
    accounts.withdraw_role(session, account, Role(held.role), agency_id=held.agency_id, actor=actor)


def disable(session: Session, actor: Actor, account_id: UUID, *, now: datetime) -> Account:
    """Close an account and its sessions at once; closing it twice changes nothing."""
    account = find_account(session, actor, account_id)
    if account.id == actor.account_id:
        raise Forbidden(_l("Nobody disables their own account."), _l("Ask another administrator."))
    for grant in account.grants:
        if not scope.covers(session, actor, Permission.MANAGE_ACCOUNTS, grant.agency_id):
            raise Forbidden(
                _l("This account has roles outside your agency."), _l("Ask the administrators of the city.")
            )
    if any(grant.role == Role.ADMINISTRATOR and grant.agency_id is None for grant in account.grants):
        _check_two_administrators_stay(session, account.id)
    accounts.disable(session, account, actor=actor, now=now)
    return account


def _check_two_administrators_stay(session: Session, without: UUID) -> None:
    """Raise Conflict if fewer than two administrators of the city would be left: nobody could approve any more."""
    # All of them are locked, in one order: of two who take a role away at once, the second counts what the first left.
    query = (
        select(RoleGrant.account_id)
        .join(Account)
        .where(
            RoleGrant.role == Role.ADMINISTRATOR,
            RoleGrant.agency_id.is_(None),
            Account.disabled_at.is_(None),
        )
        .order_by(RoleGrant.id)
        .with_for_update()
    )
    if len(set(session.scalars(query)) - {without}) < 2:
        raise Conflict(
            _l("Two administrators of the city must stay, or nobody could approve anything."),
            _l("Grant the role to somebody else first."),
        )


def _check_grantable(account: Account, role: Role, agency_id: UUID | None) -> None:
    if account.disabled_at is not None:
        raise Conflict(_l("This account is disabled. Nothing was changed."))
    if any(grant.role == role and grant.agency_id == agency_id for grant in account.grants):
        raise Conflict(_l("The account holds this role already."))


def _in_scope(actor: Actor) -> ColumnElement[bool]:
    """Condition on Account: a city-wide administrator sees all, another the accounts with a role in their agency."""
    if any(grant.agency_id is None for grant in actor.grants_for(Permission.MANAGE_ACCOUNTS)):
        return true()
    inside = scope.within(actor, Permission.MANAGE_ACCOUNTS, RoleGrant.agency_id)
    return exists().where(RoleGrant.account_id == Account.id, inside)


def _execute(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    account, role, agency_id = _read(session, act)
    _check_grantable(account, role, agency_id)
    accounts.grant_role(session, account, role, agency_id=agency_id, actor=actor)


def _describe(session: Session, act: Act) -> Description:
    account, role, agency_id = _read(session, act)
    where = registry.agency(session, agency_id).name if agency_id else _l("the whole city")
    return Description(
        _l("Give %(name)s the role %(role)s", name=account.label, role=role_name(role)),
        rows=[
            (_l("Account"), account.label),
            (_l("Sign-in name"), account.login),
            (_l("Role"), role_name(role)),
            (_l("Scope"), where),
        ],
        impact=[
            _l("The person can use the role from their next page on."),
            _l("The role can be taken away at any time, by one administrator."),
        ],
    )


def _read(session: Session, act: Act) -> tuple[Account, Role, UUID | None]:
    payload = act.payload
    account = session.get_one(Account, UUID(payload["account"]))
    agency = payload["agency"]
    return account, Role(payload["role"]), UUID(agency) if agency else None


register(ActKind(ROLE_GRANT, Permission.MANAGE_ACCOUNTS, 1, LIFETIME, _execute, _describe))
