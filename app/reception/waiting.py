"""What of the desk waits for somebody on their first page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from flask import url_for
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.navigation import Waiting
from app.core.permissions import Actor, Permission
from app.reception import places, presence, visits, watch


def of(session: Session, actor: Actor) -> Sequence[Waiting]:
    """Return the actor's own visitors at a desk, who stays too long, and how many of the watch list are expected."""
    now = session.scalars(select(func.now())).one()
    return [*_visitors(session, actor), *_late(session, actor, now), *_watched(session, actor, now)]


def _visitors(session: Session, actor: Actor) -> Iterator[Waiting]:
    found = visits.waiting_for(session, actor)
    if found:
        count = len(found)
        sentence = ngettext(
            "%(num)s visitor waits for you at the desk", "%(num)s visitors wait for you at the desk", count
        )
        yield Waiting(sentence, url_for("visits.answer", visit_id=found[0].id), count)


def _late(session: Session, actor: Actor, now: datetime) -> Iterator[Waiting]:
    if not actor.may(Permission.RECEIVE_VISITORS):
        return
    kept = [one.id for one in places.listed(session, actor, Permission.RECEIVE_VISITORS)]
    for building_id, count in presence.over_time(session, kept, now=now).items():
        sentence = ngettext(
            "%(num)s person is still inside after their time", "%(num)s people are still inside after their time", count
        )
        yield Waiting(sentence, url_for("reception.inside", building_id=building_id), count)


def _watched(session: Session, actor: Actor, now: datetime) -> Iterator[Waiting]:
    count = watch.count_expected(session, actor, now=now) if actor.may(Permission.KEEP_WATCH_LIST) else 0
    if count:
        sentence = ngettext(
            "%(num)s person of the watch list is expected", "%(num)s people of the watch list are expected", count
        )
        yield Waiting(sentence, url_for("watch.index"), count)
