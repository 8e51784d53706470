"""Runs of the archive: which documents are due, whose turn it is, how far a run is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from app.archive.models import ArchiveEntry, ArchiveRun, ArchiveStep, RunState
from app.audit import service as audit
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.documents.models import DocumentVersion
from app.registry import scope

RUN_TASK: Final = "archive.run"
# Whoever took documents and died: others take them after this.
_LEASE: Final = timedelta(minutes=10)
# The rate is what was done in the last minute.
_SPAN: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Taken:
    """A document that this process renews: the version that is the base, and what the next one takes over from it."""

    document_id: UUID
    version_id: UUID
    number: int
    sha256: str
    size: int
    pages: int
    signatures: int
    level: str | None
    person_id: UUID


@dataclass(frozen=True)
class Progress:
    done: int
    failed: int
    total: int
    percent: int
    # Documents a second, in the last minute.
    rate: float
    left: timedelta | None


def start(session: Session, actor: Actor, *, due_before: datetime, now: datetime) -> ArchiveRun | None:
    """Begin a run over everything that has to be renewed before a moment; None if nothing has. Raises Conflict."""
    _refuse_others(session, actor)
    if current(session) is not None:
        raise Conflict(_l("A renewal is under way already."), _l("Wait for its end, or go on with it if it is paused."))
    total = session.scalar(select(func.count()).select_from(ArchiveEntry).where(_due(due_before))) or 0
    if not total:
        return None
    run = ArchiveRun(
        started_by=actor.account_id, started_at=now, due_before=due_before, state=RunState.RUNNING, total=total
    )
    session.add(run)
    session.flush()
    _record(session, actor, "archive_run_started", run)
    queue(session, run)
    return run


def pause(session: Session, actor: Actor, run_id: UUID) -> None:
    """Let the processes end after the batch they are at. Raises Conflict if it is not running."""
    _change(session, actor, run_id, RunState.RUNNING, RunState.PAUSED, "archive_run_paused")


def resume(session: Session, actor: Actor, run_id: UUID) -> None:
    """Go on with a run. Raises Conflict if it is not paused."""
    queue(session, _change(session, actor, run_id, RunState.PAUSED, RunState.RUNNING, "archive_run_resumed"))


def current(session: Session) -> ArchiveRun | None:
    """Return the run that has not ended."""
    return session.scalar(select(ArchiveRun).where(ArchiveRun.state != RunState.DONE))


def newest(session: Session, *, limit: int = 20) -> Sequence[ArchiveRun]:
    return session.scalars(select(ArchiveRun).order_by(ArchiveRun.started_at.desc()).limit(limit)).all()


def take(session: Session, run_id: UUID, *, count: int, now: datetime) -> Sequence[Taken]:
    """Take the documents that are due next; none if nothing is left or the run does not run. Commit before working."""
    run = session.get(ArchiveRun, run_id)
    if run is None or run.state != RunState.RUNNING:
        return []
    chosen = (
        select(ArchiveEntry.document_id)
        .where(*_to_take(run, now=now))
        .order_by(ArchiveEntry.renew_by, ArchiveEntry.document_id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    taken = session.scalars(
        update(ArchiveEntry)
        .where(ArchiveEntry.document_id.in_(chosen))
        .values(leased_until=now + _LEASE)
        .returning(ArchiveEntry.version_id)
    ).all()
    version = DocumentVersion
    columns = (
        version.document_id, version.id, version.number, version.sha256, version.size, version.pages,
        version.signatures, version.level, version.person_id,
    )  # fmt: skip
    return [Taken(*row) for row in session.execute(select(*columns).where(version.id.in_(taken)))]


def has_work(session: Session, run: ArchiveRun, *, now: datetime) -> bool:
    """Say whether a process would find something to take."""
    return session.scalar(select(ArchiveEntry.document_id).where(*_to_take(run, now=now)).limit(1)) is not None


def note_step(session: Session, run_id: UUID, *, renewed: int, failed: int, now: datetime) -> None:
    session.add(ArchiveStep(run_id=run_id, done_at=now, renewed=renewed, failed=failed))


def finish(session: Session, run_id: UUID, *, now: datetime) -> bool:
    """End a run in which nothing is left to take; False if it was ended before, is paused, or others still work."""
    run = session.get(ArchiveRun, run_id, with_for_update=True)
    if run is None or run.state != RunState.RUNNING:
        return False
    busy = select(ArchiveEntry.document_id).where(_due(run.due_before), ArchiveEntry.leased_until >= now).limit(1)
    if session.scalar(busy) is not None:
        return False
    run.state, run.finished_at = RunState.DONE, now
    return True


def progress(session: Session, run: ArchiveRun, *, now: datetime) -> Progress:
    """Return how far a run is, how fast, and how long it will take."""
    sums = select(func.coalesce(func.sum(ArchiveStep.renewed), 0), func.coalesce(func.sum(ArchiveStep.failed), 0))
    done, failed = session.execute(sums.where(ArchiveStep.run_id == run.id)).one()
    end = run.finished_at or now
    since = run.started_at if run.finished_at else max(run.started_at, now - _SPAN)
    lately = session.scalar(
        select(func.sum(ArchiveStep.renewed)).where(ArchiveStep.run_id == run.id, ArchiveStep.done_at > since)
    )
    rate = (lately or 0) / max((end - since).total_seconds(), 1.0)
    remaining = max(0, run.total - done - failed)
    running = run.state == RunState.RUNNING
    left = timedelta(seconds=remaining / rate) if running and rate > 0 else None
    percent = 100 if run.state == RunState.DONE else min(100, (done + failed) * 100 // max(1, run.total))
    return Progress(done, failed, run.total, percent, rate, left)


def queue(session: Session, run: ArchiveRun) -> None:
    """Have `worker` work on a run; a second waiting job is not made."""
    enqueue(session, RUN_TASK, {"run_id": str(run.id)}, queueing_lock=f"{RUN_TASK}:{run.id}")


def _to_take(run: ArchiveRun, *, now: datetime) -> list[ColumnElement[bool]]:
    free = or_(ArchiveEntry.leased_until.is_(None), ArchiveEntry.leased_until < now)
    # One attempt in each run: what failed in this run waits for the next.
    untried = or_(ArchiveEntry.tried_at.is_(None), ArchiveEntry.tried_at < run.started_at)
    return [_due(run.due_before), free, untried]


def _due(before: datetime) -> ColumnElement[bool]:
    return ArchiveEntry.renew_by < before


def _change(session: Session, actor: Actor, run_id: UUID, before: RunState, after: RunState, act: str) -> ArchiveRun:
    _refuse_others(session, actor)
    run = session.get(ArchiveRun, run_id, with_for_update=True)
    if run is None:
        raise NotFound(_l("There is no such renewal."))
    if run.state != before:
        raise Conflict(_l("This renewal was paused, resumed or ended by somebody else."), _l("Reload the page."))
    run.state = after
    _record(session, actor, act, run)
    return run


def _refuse_others(session: Session, actor: Actor) -> None:
    if not scope.covers(session, actor, Permission.RUN_ARCHIVE, None):
        raise Forbidden(_l("Only an administrator of the whole city has the archive renewed."))


def _record(session: Session, actor: Actor, act: str, run: ArchiveRun) -> None:
    audit.record(session, actor, act, object_kind="archive_run", object_id=run.id, total=run.total)
