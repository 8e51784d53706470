"""Queueing messages in the transaction of what they are about, and keeping account of their sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.queue import enqueue
from app.notices.models import Notice, NoticeState

SEND_TASK: Final = "notices.send"
PAGE: Final = 50
# What did not arrive, so that somebody may send it again.
UNDELIVERED: Final = (NoticeState.FAILED, NoticeState.BOUNCED)
_UNSENT: Final = (NoticeState.QUEUED, NoticeState.FAILED)
_NOT_TAKEN: Final = (*_UNSENT, NoticeState.BOUNCED)
# A letter is tried for so long by itself; afterwards it waits for a person.
_TRIED: Final = timedelta(days=3)
_LEFT: Final = timedelta(minutes=5)
_AT_ONCE: Final = 2_000


def queue_notice(
    session: Session,
    message: EmailMessage,
    *,
    kind: str,
    subject_kind: str,
    subject_id: UUID,
    agency_id: UUID | None,
) -> Notice:
    """Put a complete message to one person into the outbox and queue its sending; both exist if this commits.

    Earlier messages about the same subject that no server has taken yet are not sent any more: late, they would say
    what is no longer so.
    """
    session.execute(
        update(Notice)
        .where(
            Notice.subject_kind == subject_kind,
            Notice.subject_id == subject_id,
            Notice.state.in_((*_UNSENT, *UNDELIVERED)),
        )
        .values(state=NoticeState.REPLACED)
    )
    notice = Notice(
        kind=kind,
        subject_kind=subject_kind,
        subject_id=subject_id,
        agency_id=agency_id,
        recipient=message["To"].addresses[0].addr_spec,
        title=str(message["Subject"]),
        mime=message.as_bytes(policy=SMTP),
        state=NoticeState.QUEUED,
    )
    session.add(notice)
    session.flush()
    queue_sending(session, notice.id)
    return notice


def queue_sending(session: Session, notice_id: UUID, *, not_before: datetime | None = None) -> None:
    """Queue the sending of a message unless a job for it waits already."""
    arguments, lock = {"notice_id": str(notice_id)}, f"notice:{notice_id}"
    enqueue(session, SEND_TASK, arguments, queueing_lock=lock, not_before=not_before)


def queue_left(session: Session, *, now: datetime) -> int:
    """Queue what is not sent after some minutes and return how many; those whose job still waits keep that one."""
    query = (
        select(Notice.id)
        .where(Notice.state.in_(_UNSENT), Notice.created_at < now - _LEFT, Notice.created_at > now - _TRIED)
        .order_by(Notice.created_at)
        .limit(_AT_ONCE)
    )
    left = session.scalars(query).all()
    for notice_id in left:
        queue_sending(session, notice_id)
    return len(left)


def send_failed_again(session: Session, subject_ids: Sequence[UUID]) -> int:
    """Queue the failed messages about the subjects once more and return how many; the others are left alone."""
    failed = session.scalars(
        update(Notice)
        .where(Notice.subject_id.in_(subject_ids), Notice.state.in_(UNDELIVERED))
        .values(state=NoticeState.QUEUED)
        .returning(Notice.id)
    ).all()
    for notice_id in failed:
        enqueue(session, SEND_TASK, {"notice_id": str(notice_id)})
    return len(failed)


def forget(session: Session, subject_ids: Sequence[UUID]) -> None:
    """Delete every message about the subjects: names, addresses and all."""
    session.execute(delete(Notice).where(Notice.subject_id.in_(subject_ids)))


def find(session: Session, notice_id: UUID) -> Notice:
    """Return a message. Raises NotFound."""
    notice = session.get(Notice, notice_id)
    if notice is None:
        raise NotFound(_l("There is no such message."))
    return notice


def claim_unsent(session: Session, notice_id: UUID) -> Notice | None:
    """Hold a message for sending and return it; None if it was sent, replaced or forgotten.

    Of two jobs for one message the second waits here, and then finds it sent.
    """
    query = select(Notice).where(Notice.id == notice_id, Notice.state.in_(_UNSENT)).with_for_update()
    return session.scalar(query)


def newest(session: Session, *, before: datetime | None = None) -> Sequence[Notice]:
    """Return a page of the outbox, newest first."""
    query = select(Notice).order_by(Notice.created_at.desc()).limit(PAGE)
    if before is not None:
        query = query.where(Notice.created_at < before)
    return session.scalars(query).all()


def about(session: Session, subject_ids: Sequence[UUID]) -> dict[UUID, Notice]:
    """Return the newest message about each of the subjects."""
    query = select(Notice).where(Notice.subject_id.in_(subject_ids)).order_by(Notice.created_at)
    return {notice.subject_id: notice for notice in session.scalars(query)}


def came_back(session: Session, subject_id: UUID) -> bool:
    """Say whether the newest message about the subject was refused for good or sent back."""
    found = about(session, [subject_id]).get(subject_id)
    return found is not None and found.state == NoticeState.BOUNCED


def mark_sent(notice: Notice, *, now: datetime) -> None:
    """Record that a mail server has taken the message."""
    notice.state, notice.sent_at, notice.last_error = NoticeState.SENT, now, None
    notice.attempts += 1


def mark_failed(notice: Notice, *, error: str) -> None:
    """Record an attempt that did not succeed; the job tries again by itself."""
    notice.state, notice.last_error = NoticeState.FAILED, error
    notice.attempts += 1


def mark_bounced(notice: Notice, *, error: str) -> None:
    """Record that the message will not arrive at this address."""
    notice.state, notice.last_error = NoticeState.BOUNCED, error
    notice.attempts += 1
