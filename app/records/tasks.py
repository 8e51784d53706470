"""The job of `worker` that issues: one transaction that holds everything, and a note of why it failed in another."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from app.core.db import transaction
from app.core.failpoints import reach
from app.core.logs import log
from app.core.permissions import house
from app.core.queue import RETRY, jobs
from app.core.settings import load
from app.core.storage import Storage
from app.core.timestamping import timestamper
from app.records import copying, issuing
from app.records.copies import COPY_TASK
from app.records.issuing import NotIssued
from app.records.service import ISSUE_TASK


@jobs.task(name=ISSUE_TASK, retry=RETRY)
def issue(request_id: str) -> None:
    """Issue what a clerk ordered; killed anywhere and run again, it takes exactly one number."""
    settings, now = load(os.environ), datetime.now(UTC)
    storage = Storage(settings.data_dir / "objects")
    try:
        with transaction() as session:
            entry = issuing.issue(
                session, settings, storage, UUID(request_id), timestamp=timestamper(settings), now=now
            )
    except NotIssued as error:
        log.warning("document_not_issued", request_id=request_id, why=error.fault)
        with transaction() as session:
            if error.may_pass:
                issuing.note_try(session, UUID(request_id), error.fault)
            else:
                issuing.refuse(session, UUID(request_id), error.fault, actor=house("records.issue"), now=now)
        if error.may_pass:
            # The queue tries again, until the clerk's proof is too old.
            raise
        return
    reach("records.committed")
    if entry is not None:
        log.info("document_issued", request_id=request_id, entry_id=str(entry.id))


@jobs.task(name=COPY_TASK, retry=RETRY)
def copy(copy_id: str) -> None:
    """Make the certified copy that a clerk agreed to; killed anywhere and run again, it takes exactly one number."""
    settings, now = load(os.environ), datetime.now(UTC)
    storage = Storage(settings.data_dir / "objects")
    try:
        with transaction() as session:
            entry = copying.make(session, settings, storage, UUID(copy_id), timestamp=timestamper(settings), now=now)
    except NotIssued as error:
        log.warning("copy_not_made", copy_id=copy_id, why=error.fault)
        with transaction() as session:
            if error.may_pass:
                copying.note_try(session, UUID(copy_id), error.fault)
            else:
                copying.hand_back(session, UUID(copy_id), error.fault, actor=house("records.copy"))
        if error.may_pass:
            raise
        return
    if entry is not None:
        log.info("copy_made", copy_id=copy_id, entry_id=str(entry.id))
