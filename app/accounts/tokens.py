"""Access tokens: made by a person for a system of theirs, limited to some of their permissions, ended at any time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.accounts.service import actor_of
from app.accounts.token_models import AccessToken
from app.audit import service as audit
from app.core.errors import Forbidden, Invalid, NotFound, NotSignedIn, TooMany
from app.core.permissions import Actor, Permission

PREFIX: Final = "kyvao_"
LONGEST_LIFE: Final = timedelta(days=366)
# A person is told this long before a token ends.
SOON: Final = timedelta(days=14)
MOST: Final = 50
# Writing at each use would make every reading request a write.
_SEEN_STEP: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Bearer:
    """Who a token speaks for."""

    token_id: UUID
    actor: Actor


def make(
    session: Session, actor: Actor, *, name: str, scopes: Collection[Permission], life: timedelta, now: datetime
) -> str:
    """Return a new token (49 characters), which is shown once and not stored. Raises Invalid, Forbidden, TooMany."""
    if actor.account_id is None or actor.only is not None:
        raise Forbidden(_l("Only a signed-in person can make a token."))
    if not name.strip() or len(name) > 80:
        raise Invalid(_l("Give the token a name of at most 80 characters."))
    if not scopes or not all(actor.may(scope) for scope in scopes):
        raise Invalid(_l("Choose at least one permission, and only ones that you hold."))
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise Invalid(_l("A token is valid for at most a year."))
    if len(of_account(session, actor)) >= MOST:
        raise TooMany(_l("You have 50 tokens already."), _l("End one that is not used any more."))
    token = PREFIX + secrets.token_urlsafe(32)
    made = AccessToken(
        account_id=actor.account_id,
        name=name.strip(),
        token_sha256=_digest(token),
        scopes=sorted(scopes),
        created_at=now,
        expires_at=now + life,
    )
    session.add(made)
    session.flush()
    audit.record(
        session, actor, "token_made", object_kind="access_token", object_id=made.id, scopes=",".join(made.scopes)
    )
    return token


def of_account(session: Session, actor: Actor) -> Sequence[AccessToken]:
    """Return the actor's own tokens that were not ended, newest first; those past their time among them."""
    query = select(AccessToken).where(AccessToken.account_id == actor.account_id, AccessToken.revoked_at.is_(None))
    return session.scalars(query.order_by(AccessToken.created_at.desc())).all()


def count_ending(session: Session, actor: Actor, *, now: datetime) -> int:
    """Return how many of the actor's own tokens end within two weeks and have not ended yet."""
    query = (
        select(func.count())
        .select_from(AccessToken)
        .where(
            AccessToken.account_id == actor.account_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now,
            AccessToken.expires_at <= now + SOON,
        )
    )
    return session.execute(query).scalar_one()


def find_own(session: Session, actor: Actor, token_id: UUID) -> AccessToken:
    """Return a token of the actor's own. Raises NotFound."""
    found = session.get(AccessToken, token_id)
    if found is None or actor.account_id is None or found.account_id != actor.account_id:
        raise NotFound(_l("There is no such token."))
    return found


def end(session: Session, actor: Actor, token_id: UUID, *, now: datetime) -> None:
    """End a token of the actor's own; ending it twice changes nothing. Raises NotFound."""
    find_own(session, actor, token_id)
    ended = session.execute(
        update(AccessToken)
        .where(AccessToken.id == token_id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(AccessToken.id)
    ).scalar_one_or_none()
    if ended is not None:
        audit.record(session, actor, "token_ended", object_kind="access_token", object_id=token_id)


def bearer_of(session: Session, header: str, *, now: datetime) -> Bearer:
    """Return who an Authorization header speaks for (RFC 6750). Raises NotSignedIn, with one sentence for all."""
    kind, _, token = header.partition(" ")
    found = session.scalar(select(AccessToken).where(AccessToken.token_sha256 == _digest(token.strip())))
    usable = found is not None and found.revoked_at is None and now < found.expires_at
    if kind.lower() != "bearer" or found is None or not usable or found.account.disabled_at is not None:
        raise NotSignedIn(
            _l("The access token is missing, or it is not valid any more."),
            _l("Send “Authorization: Bearer” with a token made under “My access tokens”."),
        )
    if found.last_used_at is None or now >= found.last_used_at + _SEEN_STEP:
        found.last_used_at = now
    only = frozenset(Permission(scope) for scope in found.scopes if scope in set(Permission))
    return Bearer(found.id, replace(actor_of(found.account), only=only))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
