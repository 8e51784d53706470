"""Queueing messages in the transaction of what they are about, and keeping account of their sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
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


def queue_notice(
    session: Session,
    message: EmailMessage,
    *,
    kind: str,
    subject_kind: str,
    subject_id: UUID,
    agency_id: UUID | None,
) -> Notice:
    """Put a complete message to one person into the outbox and queue its sending; both exist if this commits."""
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
    _queue_sending(session, notice.id)
    return notice


def send_failed_again(session: Session, subject_ids: Sequence[UUID]) -> int:
    """Queue the failed messages about the subjects once more and return how many; the others are left alone."""
    failed = session.scalars(
        update(Notice)
        .where(Notice.subject_id.in_(subject_ids), Notice.state == NoticeState.FAILED)
        .values(state=NoticeState.QUEUED)
        .returning(Notice.id)
    ).all()
    for notice_id in failed:
        _queue_sending(session, notice_id)
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


def mark_sent(session: Session, notice_id: UUID, *, now: datetime) -> None:
    """Record that a mail server has taken the message."""
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state != NoticeState.SENT)
        .values(state=NoticeState.SENT, sent_at=now, attempts=Notice.attempts + 1, last_error=None)
    )


def mark_failed(session: Session, notice_id: UUID, *, error: str) -> None:
    """Record an attempt that did not succeed; the job tries again by itself."""
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state != NoticeState.SENT)
        .values(state=NoticeState.FAILED, attempts=Notice.attempts + 1, last_error=error)
    )


def _queue_sending(session: Session, notice_id: UUID) -> None:
    # The lock keeps two jobs for one message apart: the second finds it sent.
    enqueue(session, SEND_TASK, {"notice_id": str(notice_id)}, lock=f"notice:{notice_id}")
