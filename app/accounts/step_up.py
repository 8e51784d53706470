"""Asking for the password again for exactly one act: bound to what is agreed to, for five minutes, used once.

A statement is canonical JSON of all that the act will do. Whoever acts on it later works out its digest anew from the
statement and compares; anyone can do the same from the rows that are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.accounts.passwords import is_password
from app.accounts.step_up_models import StepUp
from app.audit import service as audit
from app.core.errors import Conflict, TooMany
from app.core.permissions import Actor
from app.core.throttle import may_pass

LIFE: Final = timedelta(minutes=5)
_BY_PASSWORD: Final = "password"  # noqa: S105  what was asked for, not one
_TRIES: Final = 5


def canonical(statement: Mapping[str, Any]) -> str:
    """Return the statement as JSON that is the same for everybody: keys in order, no spaces, letters as they are."""
    return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(statement: str) -> bytes:
    """Return the SHA-256 of a canonical statement."""
    return hashlib.sha256(statement.encode()).digest()


def count_try(session: Session, actor: Actor, *, now: datetime) -> None:
    """Count a try, in a transaction of its own. Raises TooMany after five a minute."""
    if not may_pass(session, f"step-up:{actor.account_id}", limit=_TRIES, per=timedelta(minutes=1), now=now):
        raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))


def prove(
    session: Session, actor: Actor, password: str, *, purpose: str, statement: str, now: datetime
) -> StepUp | None:
    """Keep that the actor agreed to `statement`, and return it; None, with an entry in the log, for a wrong password.

    The caller has counted the try, and commits in both cases. `statement` holds a nonce, so no two are the same.
    """
    account = session.get(Account, actor.account_id) if actor.account_id is not None else None
    fits = is_password(account.password_hash if account else None, password)
    if account is None or not fits or account.disabled_at is not None:
        audit.record(
            session, actor, "step_up_refused", object_kind="account", object_id=actor.account_id, for_act=purpose
        )
        return None
    made = StepUp(
        account_id=account.id,
        purpose=purpose,
        statement=statement,
        digest=digest_of(statement),
        means=_BY_PASSWORD,
        proven_at=now,
        expires_at=now + LIFE,
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor,
        "step_up_proven",
        object_kind="step_up",
        object_id=made.id,
        for_act=purpose,
        digest=made.digest.hex(),
    )
    return made


def use(session: Session, step_up_id: UUID, *, purpose: str, now: datetime) -> StepUp:
    """Use up a proof in the transaction of its act and return it, its digest checked against its statement.

    Raises Conflict for one that was used, has expired, was for something else, or does not fit its statement.
    """
    used: StepUp | None = session.scalar(
        update(StepUp)
        .where(StepUp.id == step_up_id, StepUp.purpose == purpose, StepUp.used_at.is_(None), StepUp.expires_at >= now)
        .values(used_at=now)
        .returning(StepUp)
    )
    if used is None:
        raise Conflict(_l("More than five minutes have passed since you entered your password, or it was used up."))
    if not hmac.compare_digest(used.digest, digest_of(used.statement)):
        raise Conflict(_l("What was agreed to with the password is not what is being done. Nothing was changed."))
    return used
