"""Jobs of `worker`: raising the level of signed documents, trying again, and working off renewals."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from app.archive import runner, runs, service
from app.archive.models import Failure, RunState
from app.core.db import transaction
from app.core.errors import Conflict, Unavailable
from app.core.logs import log
from app.core.permissions import house
from app.core.queue import RETRY, enqueue, jobs
from app.core.settings import Settings, load
from app.core.storage import Storage
from app.core.timestamping import timestamper
from pki.errors import PdfRefused


@jobs.task(name=service.AUGMENT_TASK)
def augment(document_id: str) -> None:
    """Add what a document's level lacks; what fails is noted, shown, and tried again by the round below."""
    settings = load(os.environ)
    raise_one(settings, UUID(document_id))


def raise_one(settings: Settings, document_id: UUID) -> bool:
    """Return whether proofs were added."""
    now = datetime.now(UTC)
    try:
        with transaction() as session:
            made = service.augment(
                session,
                settings,
                Storage(settings.data_dir / "objects"),
                house("archive.augment"),
                document_id,
                timestamp=timestamper(settings),
                now=now,
            )
    except Unavailable:
        failure = Failure.SERVICE_SILENT
    except PdfRefused:
        failure = Failure.FILE_REFUSED
    except Conflict:
        failure = Failure.OVERTAKEN
    else:
        if made is not None:
            log.info("proofs_added", document_id=str(document_id), level=made.level)
        return made is not None
    log.warning("proofs_not_added", document_id=str(document_id), why=failure)
    with transaction() as session:
        service.note_failure(session, document_id, failure, now=now)
    return False


@jobs.periodic(cron="* * * * * */15")
@jobs.task(name="archive.try_again", queueing_lock="archive.try_again")
def try_again(timestamp: int) -> None:
    """Queue the documents whose level is still too low and whose wait is over."""
    del timestamp
    with transaction() as session:
        for document_id in service.pending(session, now=datetime.now(UTC)):
            enqueue(
                session,
                service.AUGMENT_TASK,
                {"document_id": str(document_id)},
                queueing_lock=f"{service.AUGMENT_TASK}:{document_id}",
            )


@jobs.task(name=runs.RUN_TASK, retry=RETRY)
def run(run_id: str) -> None:
    """Work off a run with all cores until nothing is left or it is paused."""
    runner.work_off(load(os.environ), UUID(run_id))


@jobs.periodic(cron="* * * * * */20")
@jobs.task(name="archive.tend", queueing_lock="archive.tend")
def tend(timestamp: int) -> None:
    """Go on with a run whose worker died, and end one in which nothing is left."""
    del timestamp
    settings, now = load(os.environ), datetime.now(UTC)
    with transaction() as session:
        found = runs.current(session)
        if found is None or found.state != RunState.RUNNING or runner.is_running(settings):
            return
        if runs.has_work(session, found, now=now):
            runs.queue(session, found)
        else:
            runs.finish(session, found.id, now=now)


@jobs.periodic(cron="11 1 * * *")
@jobs.task(name="archive.start_due", queueing_lock="archive.start_due")
def start_due(timestamp: int) -> None:
    """Every night, renew what has come due."""
    del timestamp
    now = datetime.now(UTC)
    with transaction() as session:
        service.work_out_missing(session, now=now)
        if runs.current(session) is None:
            runs.start(session, house("archive.clock"), due_before=now, now=now)
