"""What a meeting is about, point by point."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.i18n import local
from app.core.permissions import Actor
from app.meetings import service as meetings
from app.meetings.entered import one_line
from app.meetings.models import Meeting, MeetingItem

MOST_ITEMS: Final = 60
_LONGEST: Final = 300
_TIME: Final = re.compile(r"(\d{1,2})[:h](\d{2})")


@dataclass(frozen=True)
class Item:
    """One point; `starts_at` is None where no time was given."""

    starts_at: datetime | None
    topic: str
    presenter: str


def read(text: str, meeting: Meeting) -> list[Item]:
    """Return the points of a text with one on each line: `08:30 | topic | presenter`, time and presenter optional.

    Raises Invalid naming the first line that is not right.
    """
    lines = [one_line(line) for line in text.splitlines()]
    items: list[Item] = []
    earliest = meeting.starts_at
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        item = _item(line, number, meeting, earliest)
        earliest = item.starts_at or earliest
        items.append(item)
    if len(items) > MOST_ITEMS:
        raise Invalid(_l("The agenda has more than 60 points."))
    return items


def written(session: Session, meeting: Meeting) -> str:
    """Return the agenda as the text that `read` takes."""
    return "\n".join(
        " | ".join(
            part
            for part in (f"{local(one.starts_at):%H:%M}" if one.starts_at else "", one.topic, one.presenter)
            if part
        )
        for one in items_of(session, meeting.id)
    )


def items_of(session: Session, meeting_id: UUID) -> Sequence[MeetingItem]:
    query = select(MeetingItem).where(MeetingItem.meeting_id == meeting_id).order_by(MeetingItem.position)
    return session.scalars(query).all()


def replace(session: Session, actor: Actor, meeting_id: UUID, text: str) -> None:
    """Let the meeting have this agenda. Raises Invalid, NotFound, and Conflict for a cancelled meeting."""
    meeting = meetings.open_for_change(session, actor, meeting_id)
    items = read(text, meeting)
    session.execute(delete(MeetingItem).where(MeetingItem.meeting_id == meeting.id))
    session.add_all(
        MeetingItem(
            meeting_id=meeting.id, position=at, starts_at=item.starts_at, topic=item.topic, presenter=item.presenter
        )
        for at, item in enumerate(items)
    )
    meetings.record(session, actor, "agenda_written", meeting, points=len(items))


def _line(item: MeetingItem) -> str:
    time = f"{local(item.starts_at):%H:%M}" if item.starts_at else ""
    return " | ".join(part for part in (time, item.topic, item.presenter) if part)


def _item(line: str, number: int, meeting: Meeting, earliest: datetime) -> Item:
    parts = [part.strip() for part in line.split("|")]
    time = _TIME.fullmatch(parts[0])
    if time is not None and len(parts) > 1:
        starts_at, parts = _moment(int(time[1]), int(time[2]), number, meeting, earliest), parts[1:]
    else:
        starts_at = None
    topic, presenter = parts[0], " | ".join(parts[1:])
    if not topic or len(topic) > _LONGEST or len(presenter) > _LONGEST:
        raise Invalid(_l("Line %(number)s has no topic, or is over 300 characters long.", number=number))
    return Item(starts_at, topic, presenter)


def _moment(hour: int, minute: int, number: int, meeting: Meeting, earliest: datetime) -> datetime:
    """Return the first such time of the clock from `earliest` on, within the meeting."""
    if hour > 23 or minute > 59:
        raise Invalid(_l("Line %(number)s has a time that no clock shows.", number=number))
    moment = local(earliest).replace(hour=hour, minute=minute)
    if moment < earliest:
        moment += timedelta(days=1)
    if moment > meeting.ends_at:
        raise Invalid(_l("Line %(number)s lies before the line above, or outside the meeting.", number=number))
    return moment
