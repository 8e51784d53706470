"""Searches that somebody keeps: each belongs to one account and is seen by nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.certificates.register_filters import Filters
from app.certificates.register_models import SavedSearch
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor

LONGEST_NAME: Final = 80
MOST: Final = 50


def of(session: Session, actor: Actor) -> Sequence[SavedSearch]:
    """Return the actor's searches by name."""
    query = select(SavedSearch).where(SavedSearch.account_id == actor.account_id).order_by(SavedSearch.name)
    return session.scalars(query).all()


def save(session: Session, actor: Actor, name: str, filters: Filters, *, now: datetime) -> None:
    """Keep a search; one of the same name is replaced. Raises Invalid without a name or with fifty kept already."""
    wanted = _name(name)
    kept = session.scalar(
        select(func.count()).where(SavedSearch.account_id == actor.account_id, SavedSearch.name != wanted)
    )
    if (kept or 0) >= MOST:
        raise Invalid(_l("You keep fifty searches already. Delete one you no longer need."))
    row = insert(SavedSearch).values(
        account_id=actor.account_id, name=wanted, query=urlencode(filters.arguments()), created_at=now
    )
    key = [SavedSearch.account_id, SavedSearch.name]
    session.execute(row.on_conflict_do_update(index_elements=key, set_={"query": row.excluded.query}))


def rename(session: Session, actor: Actor, search_id: UUID, name: str) -> None:
    """Give a search another name. Raises NotFound for somebody else's, Conflict if another one has that name."""
    wanted = _name(name)
    mine = SavedSearch.account_id == actor.account_id
    if session.scalar(select(SavedSearch.id).where(mine, SavedSearch.name == wanted, SavedSearch.id != search_id)):
        raise Conflict(_l("Another of your searches has this name."), _l("Choose another name."))
    changed = session.execute(
        update(SavedSearch).where(mine, SavedSearch.id == search_id).values(name=wanted).returning(SavedSearch.id)
    )
    if changed.first() is None:
        raise NotFound(_l("There is no such search."))


def forget(session: Session, actor: Actor, search_id: UUID) -> None:
    """Delete a search of the actor's; one that is gone already stays gone."""
    session.execute(delete(SavedSearch).where(SavedSearch.account_id == actor.account_id, SavedSearch.id == search_id))


def _name(text: str) -> str:
    wanted = " ".join(text.replace("\x00", "").split())[:LONGEST_NAME]
    if not wanted:
        raise Invalid(_l("Enter a name for the search."))
    return wanted
