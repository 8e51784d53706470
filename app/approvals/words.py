"""States, kinds and roles in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.approvals.models import ActState
from app.core.errors import Sentence
from app.core.permissions import Role

# State -> word, tone of the tag.
STATES: Final[Mapping[str, tuple[Sentence, str]]] = {
    ActState.PENDING: (_l("waits for a decision"), "wait"),
    ActState.EXECUTED: (_l("approved and done"), "good"),
    ActState.REFUSED: (_l("refused"), "bad"),
    ActState.WITHDRAWN: (_l("withdrawn"), "quiet"),
    ActState.EXPIRED: (_l("out of time"), "quiet"),
    ActState.FAILED: (_l("approved, could not be done"), "bad"),
}

KINDS: Final[Mapping[str, Sentence]] = {
    "agency_seal": _l("Seal of an agency"),
    "authority_key": _l("Key of an authority"),
    "bulk_revocation": _l("Revoking many certificates"),
    "campaign": _l("Campaign"),
    "profile_change": _l("Change of a certificate profile"),
    "release": _l("Releasing a suspended certificate"),
    "role_grant": _l("Granting a role"),
    "trust_anchor": _l("Trusting a root from outside"),
    "trust_anchor_removal": _l("Ending the trust in a root from outside"),
    "trust_host": _l("Host of outside revocation lists"),
    "watch_entry": _l("Entry of the watch list"),
}

ROLES: Final[Mapping[Role, Sentence]] = {
    Role.CITIZEN: _l("Citizen"),
    Role.OFFICIAL: _l("Official"),
    Role.CLERK: _l("Clerk"),
    Role.REGISTRATION_OFFICER: _l("Registration officer"),
    Role.GUARD: _l("Guard"),
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.AUDITOR: _l("Auditor"),
}


def kind_name(kind: str) -> Sentence:
    return KINDS.get(kind, kind)


def role_name(role: str) -> Sentence:
    return ROLES[Role(role)]
