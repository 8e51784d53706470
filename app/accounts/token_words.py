"""What an access token may be limited to, in words: the permissions that operations of the API ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.core.permissions import Permission

# tests/app/accounts/test_tokens.py compares it with the operations.
SCOPES: Final[Mapping[Permission, Sentence]] = {
    Permission.FIND_CERTIFICATES: _l("Find and fetch certificates"),
    Permission.APPROVE_CERTIFICATES: _l("Approve and refuse requests for certificates"),
    Permission.REVOKE_CERTIFICATES: _l("Revoke and suspend certificates, and ask for their release"),
    Permission.HOLD_CERTIFICATE: _l("Ask for a certificate of your own"),
    Permission.SEE_APPROVALS: _l("Read the acts that need a second person, and decide on them"),
    Permission.READ_CAMPAIGNS: _l("Look at campaigns"),
    Permission.RUN_CAMPAIGNS: _l("Add, start, pause and stop campaigns"),
    Permission.READ_ALARMS: _l("Read alarms"),
    Permission.CLOSE_ALARMS: _l("Close alarms"),
    Permission.CHECK_DOCUMENTS: _l("Check signed documents"),
}


def in_words(scopes: list[str]) -> list[Sentence]:
    """Return the scopes of a token in the order of the form; what is not offered any more is shown as it is."""
    known = [words for permission, words in SCOPES.items() if permission in scopes]
    return [*known, *(scope for scope in scopes if scope not in SCOPES)]
