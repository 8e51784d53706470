"""Asking `worker` to publish what is behind, in the transaction of what changed it."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from app.core.queue import enqueue

PUBLISH_TASK: Final = "certificates.publish_due"


def publish_soon(session: Session) -> None:
    """Queue a round of publishing; one that is waiting already will see this change too.

    Which shards are behind is marked by a trigger on `revocation`. A round that begins before this transaction commits
    does not see its mark; the mark stays, and the round that comes every two seconds does.
    """
    enqueue(session, PUBLISH_TASK, {}, queueing_lock=PUBLISH_TASK)
