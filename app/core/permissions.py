"""Who may do what: roles, permissions, the actor, and the declaration that every route must carry.

A route is guarded by exactly one of `needs(permission)`, `signed_in(why)`, `public(why)` or a guard of a
capability made with `declare`. `check_guards` refuses to start an application with an undeclared route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Flask
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.core.errors import Forbidden, NotSignedIn

P = ParamSpec("P")
R = TypeVar("R")


class Role(StrEnum):
    CITIZEN = "citizen"
    OFFICIAL = "official"
    CLERK = "clerk"
    REGISTRATION_OFFICER = "registration_officer"
    GUARD = "guard"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Permission(StrEnum):
    HOLD_CERTIFICATE = "hold_certificate"
    APPROVE_CERTIFICATES = "approve_certificates"
    FIND_CERTIFICATES = "find_certificates"
    EXPORT_REGISTER = "export_register"
    REVOKE_CERTIFICATES = "revoke_certificates"
    SIGN_DOCUMENTS = "sign_documents"
    # An agency's form, filled in by oneself.
    SIGN_FORMS = "sign_forms"
    # The inbox of what citizens sent; and which forms there are.
    HANDLE_FORMS = "handle_forms"
    PUBLISH_FORMS = "publish_forms"
    # The boards, turns and inboxes of papers on their way.
    FOLLOW_ROUTES = "follow_routes"
    # Number, date and seal of the agency on what its head has signed.
    ISSUE_DOCUMENTS = "issue_documents"
    # The picture of the agency's seal.
    MANAGE_SEALS = "manage_seals"
    MANAGE_MEETINGS = "manage_meetings"
    SCAN_PASSES = "scan_passes"
    MANAGE_GATES = "manage_gates"
    # The desk: guests by hand, walk-ins, badges, who is inside.
    RECEIVE_VISITORS = "receive_visitors"
    # The roll of an evacuation.
    CALL_ROLL = "call_roll"
    KEEP_WATCH_LIST = "keep_watch_list"
    READ_AUDIT = "read_audit"
    READ_OUTBOX = "read_outbox"
    # The inbox; what one may decide there depends on the kind of act.
    SEE_APPROVALS = "see_approvals"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_PROFILES = "manage_profiles"
    READ_ALARMS = "read_alarms"
    CLOSE_ALARMS = "close_alarms"
    RUN_CAMPAIGNS = "run_campaigns"
    READ_CAMPAIGNS = "read_campaigns"
    READ_HEALTH = "read_health"
    # When the proofs of signed documents end; and having them renewed.
    READ_ARCHIVE = "read_archive"
    RUN_ARCHIVE = "run_archive"
    # By a program: at the page anybody may check a paper.
    CHECK_DOCUMENTS = "check_documents"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CITIZEN: frozenset({Permission.HOLD_CERTIFICATE, Permission.SIGN_FORMS}),
    Role.OFFICIAL: frozenset(
        {
            Permission.HOLD_CERTIFICATE,
            Permission.SIGN_DOCUMENTS,
            Permission.SIGN_FORMS,
            Permission.HANDLE_FORMS,
            Permission.FOLLOW_ROUTES,
            Permission.MANAGE_MEETINGS,
            Permission.CHECK_DOCUMENTS,
        },
    ),
    Role.CLERK: frozenset(
        {
            Permission.MANAGE_MEETINGS,
            Permission.FOLLOW_ROUTES,
            Permission.ISSUE_DOCUMENTS,
            Permission.MANAGE_SEALS,
            Permission.HANDLE_FORMS,
            Permission.PUBLISH_FORMS,
            Permission.CHECK_DOCUMENTS,
        }
    ),
    Role.REGISTRATION_OFFICER: frozenset(
        {
            Permission.APPROVE_CERTIFICATES,
            Permission.FIND_CERTIFICATES,
            Permission.EXPORT_REGISTER,
            Permission.SEE_APPROVALS,
            Permission.RUN_CAMPAIGNS,
            Permission.READ_CAMPAIGNS,
        }
    ),
    Role.GUARD: frozenset({Permission.SCAN_PASSES, Permission.RECEIVE_VISITORS, Permission.CALL_ROLL}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.FIND_CERTIFICATES,
            Permission.EXPORT_REGISTER,
            Permission.REVOKE_CERTIFICATES,
            Permission.MANAGE_GATES,
            Permission.CALL_ROLL,
            Permission.KEEP_WATCH_LIST,
            Permission.READ_HEALTH,
            Permission.READ_ARCHIVE,
            Permission.RUN_ARCHIVE,
            Permission.READ_AUDIT,
            Permission.READ_OUTBOX,
            Permission.SEE_APPROVALS,
            Permission.MANAGE_ACCOUNTS,
            Permission.MANAGE_PROFILES,
            Permission.MANAGE_SEALS,
            Permission.READ_ALARMS,
            Permission.CLOSE_ALARMS,
            Permission.READ_CAMPAIGNS,
            Permission.CHECK_DOCUMENTS,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.FIND_CERTIFICATES,
            Permission.EXPORT_REGISTER,
            Permission.READ_HEALTH,
            Permission.READ_ARCHIVE,
            Permission.READ_AUDIT,
            Permission.SEE_APPROVALS,
            Permission.READ_ALARMS,
            Permission.READ_CAMPAIGNS,
            Permission.CHECK_DOCUMENTS,
        }
    ),
}


@dataclass(frozen=True)
class Grant:
    """A role within an agency and everything below it; `agency_id` None is the whole city."""

    role: Role
    agency_id: UUID | None


@dataclass(frozen=True)
class Actor:
    """Who acts. Every service that changes or scopes anything takes one."""

    # None for the house itself (a job, a command); the reason then stands in `label`.
    account_id: UUID | None
    person_id: UUID | None
    label: str
    grants: tuple[Grant, ...]
    # What an access token is limited to; None for a person at a page, who may do all that the roles allow.
    only: frozenset[Permission] | None = None

    def may(self, permission: Permission) -> bool:
        return bool(self.grants_for(permission))

    def grants_for(self, permission: Permission) -> tuple[Grant, ...]:
        if self.only is not None and permission not in self.only:
            return ()
        return tuple(grant for grant in self.grants if permission in ROLE_PERMISSIONS[grant.role])

    def has_role(self, role: Role) -> bool:
        return any(grant.role is role for grant in self.grants)


def house(reason: str) -> Actor:
    """Return the actor of a job or a command: no account, every role, named by `reason` in the audit log."""
    return Actor(account_id=None, person_id=None, label=reason, grants=tuple(Grant(role, None) for role in Role))


@dataclass(frozen=True)
class Guard:
    """How a route is guarded: `kind` is needs, signed_in, public or a capability's word; `detail` what or why."""

    kind: str
    detail: str


def declare(view: Callable[P, R], guard: Guard) -> Callable[P, R]:
    """Attach `guard` to `view`, for a capability that checks something else than a signed-in person."""
    view.__dict__["guard"] = guard
    return view


def current_actor() -> Actor:
    """Return the signed-in actor. Raises NotSignedIn."""
    actor = getattr(current_user, "actor", None)
    if not isinstance(actor, Actor):
        raise NotSignedIn(_l("Please sign in to continue."))
    return actor


def needs(permission: Permission, *others: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only actors with `permission`, or one of the others, in some scope pass; the service narrows to the scope."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not any(current_actor().may(one) for one in (permission, *others)):
                raise Forbidden(
                    _l("Your account is not allowed to open this page."),
                    _l("If you need it for your work, ask your agency's administrator."),
                )
            return view(*args, **kwargs)

        return declare(guarded, Guard("needs", permission))

    return decorate


def signed_in(why: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let every signed-in person pass; `why` says why no permission is needed."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            current_actor()
            return view(*args, **kwargs)

        return declare(guarded, Guard("signed_in", why))

    return decorate


def public(why: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let anyone pass; `why` says why that is right."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return declare(view, Guard("public", why))

    return decorate


class UnguardedRoute(RuntimeError):
    """A route declares neither a permission nor why it is public."""


def unguarded_endpoints(app: Flask) -> Iterable[str]:
    """Return the endpoints whose view carries no guard (Flask's own static files excepted)."""
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint != "static" and not isinstance(getattr(view, "guard", None), Guard)
    )


def check_guards(app: Flask) -> None:
    """Raise UnguardedRoute if any route of `app` declares nothing."""
    missing = list(unguarded_endpoints(app))
    if missing:
        raise UnguardedRoute(f"No permission declared on: {', '.join(missing)}")
