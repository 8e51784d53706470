"""The kinds of acts that need a second person; each capability registers its own when it is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.approvals.models import Act
from app.core.errors import Conflict, Sentence
from app.core.permissions import Actor, Permission

LIFETIME: Final = timedelta(hours=8)


@dataclass(frozen=True)
class Description:
    """What an approver reads before deciding; made anew for each look, from the payload of the act."""

    # What will be done, in one sentence.
    title: Sentence
    # Facts as pairs of name and value.
    rows: Sequence[tuple[Sentence, Sentence]] = ()
    # Consequences, counted.
    impact: Sequence[Sentence] = ()
    # What the approver types, for what cannot be undone; None asks for nothing.
    confirmation: str | None = None


@dataclass(frozen=True)
class ActKind:
    """How a kind of act is decided and done.

    `execute` runs in the transaction of the last approval, with the house as actor. What it raises of AppError leaves
    the act failed with that sentence, and nothing of what it did.
    """

    name: str
    # What it takes to decide, over the agency of the act.
    permission: Permission
    # People besides the requester; KYVAO_APPROVERS may ask for more.
    approvals: int
    lifetime: timedelta
    execute: Callable[[Session, Actor, Act, datetime], None]
    describe: Callable[[Session, Act], Description]
    # What it takes to ask, at the request and still at each vote; None: the same as to decide.
    to_request: Permission | None = None

    @property
    def request_permission(self) -> Permission:
        return self.to_request or self.permission


_kinds: dict[str, ActKind] = {}


def register(kind: ActKind) -> ActKind:
    """Make `kind` known to this process and return it."""
    _kinds[kind.name] = kind
    return kind


def kind_of(name: str) -> ActKind:
    """Return the kind. Raises Conflict if this process does not know it: nobody decides on what it cannot describe."""
    kind = _kinds.get(name)
    if kind is None:
        raise Conflict(_l("This act cannot be decided here. Nothing was changed."))
    return kind


def known() -> Sequence[ActKind]:
    return list(_kinds.values())
