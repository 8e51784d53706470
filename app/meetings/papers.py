"""The signed papers of a meeting: which version of which document its guests may read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion
from app.meetings import service as meetings
from app.meetings.models import Guest, MeetingPaper, MeetingState
from app.meetings.retention import NAMES
from app.registry import scope

MOST: Final = 30


def of_meeting(session: Session, meeting_id: UUID) -> Sequence[MeetingPaper]:
    """Return the papers that lie with the meeting, in the order in which they were put there."""
    query = select(MeetingPaper).where(MeetingPaper.meeting_id == meeting_id, MeetingPaper.removed_at.is_(None))
    return session.scalars(query.order_by(MeetingPaper.added_at, MeetingPaper.id)).unique().all()


def signed(session: Session, actor: Actor, text: str) -> Sequence[Document]:
    """Return documents that the actor may see and whose newest version is signed, newest first."""
    return [one for one in documents.search(session, actor, text, page=1).documents if one.newest.signatures]


def attach(session: Session, actor: Actor, meeting_id: UUID, document_id: UUID, *, now: datetime) -> MeetingPaper:
    """Put the newest version of a signed document with the meeting; guests read that very version.

    Again, it changes nothing. Raises NotFound for a document that the actor does not see, Invalid for one that is not
    signed or another agency's.
    """
    meeting = meetings.open_for_change(session, actor, meeting_id)
    document = documents.find(session, actor, document_id)
    if not scope.covers(session, actor, Permission.MANAGE_MEETINGS, document.agency_id):
        raise Invalid(_l("This document is another agency's."), _l("Ask that agency to send it to the guests."))
    newest = document.newest
    if not newest.signatures:
        raise Invalid(_l("Only signed documents can lie with a meeting."), _l("Sign it first, or have it signed."))
    present = of_meeting(session, meeting.id)
    again = next((one for one in present if one.version_id == newest.id), None)
    if again is not None:
        return again
    if len(present) >= MOST:
        raise Conflict(_l("Thirty papers lie with this meeting already."))
    # A newer version takes the place of an older one.
    for one in present:
        if one.version.document_id == document.id:
            one.removed_at = now
    paper = MeetingPaper(meeting_id=meeting.id, version_id=newest.id, title=document.title, added_at=now)
    session.add(paper)
    session.flush()
    meetings.record(session, actor, "paper_attached", meeting, document=str(document.id), version=newest.number)
    return paper


def take_away(session: Session, actor: Actor, meeting_id: UUID, paper_id: UUID, *, now: datetime) -> None:
    """Take a paper away from the meeting; guests no longer open it. Again, it changes nothing. Raises NotFound."""
    meeting = meetings.open_for_change(session, actor, meeting_id)
    paper = session.get(MeetingPaper, paper_id)
    if paper is None or paper.meeting_id != meeting.id:
        raise NotFound(_l("There is no such paper."))
    if paper.removed_at is None:
        paper.removed_at = now
        meetings.record(session, actor, "paper_taken_away", meeting, document=str(paper.version.document_id))


def may_read(guest: Guest, *, now: datetime) -> bool:
    """Say whether a guest reads the papers: invited, and no later than their name is kept."""
    meeting = guest.meeting
    return guest.removed_at is None and meeting.state == MeetingState.SENT and now < meeting.ends_at + NAMES


def for_guest(session: Session, guest: Guest, paper_id: UUID, *, now: datetime) -> tuple[MeetingPaper, DocumentVersion]:
    """Return a paper of the guest's own meeting. Raises NotFound, also when they may no longer read it."""
    paper = session.get(MeetingPaper, paper_id)
    if paper is None or paper.meeting_id != guest.meeting_id or paper.removed_at or not may_read(guest, now=now):
        raise NotFound(_l("There is no such paper."))
    return paper, paper.version
