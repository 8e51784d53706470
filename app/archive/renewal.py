"""Working off a run, batch by batch: read in the limited process, timestamped, checked by others, stored together.

Killed anywhere, a document has its old newest version or one complete new one; what was taken is free again after its
lease. Files that are B-LTA share the material of their timestamps, the rest is raised one by one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.archive import augment_job, checking, clock, raising, runs
from app.archive.material import material_for
from app.archive.models import ArchiveEntry, Failure
from app.archive.raising import Raised
from app.archive.runs import Taken
from app.audit import service as audit
from app.core.db import transaction
from app.core.errors import NotFound, Unavailable
from app.core.failpoints import reach
from app.core.logs import log
from app.core.permissions import house
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.timestamping import Timestamper
from app.documents import sandbox
from app.documents.models import DocumentVersion, Level, MadeBy
from pki.errors import PdfRefused
from pki.pades.augment import TOKEN_ROOM, PreparedTimestamp
from pki.pades.dss import Material

Clock = Callable[[], datetime]
One = TypeVar("One")

SIZE: Final = 24
# Files up to this size are read together, and together not more than this.
_SMALL: Final = 2 * 1024 * 1024
# Answers about status are fresh for a day; a run may take longer.
_MATERIAL_LIFE: Final = timedelta(minutes=30)


@dataclass(frozen=True)
class _Renewed:
    taken: Taken
    raised: Raised
    sha256: str


@dataclass
class Renewer:
    """Works off a run in this process; several processes may do so at once."""

    settings: Settings
    run_id: UUID
    timestamp: Timestamper
    now: Clock
    size: int = SIZE
    _storage: Storage = field(init=False, repr=False)
    _material: Material = field(default_factory=Material, repr=False)
    _gathered_at: datetime | None = None

    def __post_init__(self) -> None:
        self._storage = Storage(self.settings.data_dir / "objects")

    def run(self) -> None:
        """Work until nothing is left to take or the run was paused."""
        with ThreadPoolExecutor(4) as pool:
            while self.step(pool):
                pass
        with transaction() as session:
            if runs.finish(session, self.run_id, now=self.now()):
                log.info("archive_run_done", run_id=str(self.run_id))

    def step(self, pool: ThreadPoolExecutor) -> bool:
        """Work off one batch; False when there was none."""
        with transaction() as session:
            taken = runs.take(session, self.run_id, count=self.size, now=self.now())
        if not taken:
            return False
        reach("archive.taken")
        together = [one for one in taken if one.level == Level.ARCHIVE and one.size <= _SMALL]
        alone = [one for one in taken if one not in together]
        made: list[_Renewed] = []
        failed: dict[UUID, Failure] = {}
        for part in _parts(together, size=lambda one: one.size):
            self._renew_together(part, made, failed)
        for one in alone:
            self._renew_alone(one, made, failed)
        made = self._accepted(made, failed, pool)
        reach("archive.checked")
        self._store(made, failed)
        return True

    def _renew_together(self, part: Sequence[Taken], made: list[_Renewed], failed: dict[UUID, Failure]) -> None:
        try:
            contents = [self._storage.get(one.sha256) for one in part]
            material = self._current_material()
            wish = {
                "material": augment_job.material_facts(material),
                "room": TOKEN_ROOM,
                "sizes": [len(content) for content in contents],
            }
            facts, output = sandbox.run(augment_job.prepare_many, wish, b"".join(contents))
        except (NotFound, PdfRefused, Unavailable):
            # One of them is the cause; found by asking for each.
            for one in part:
                self._renew_alone(one, made, failed)
            return
        with output:
            for one, content, found in zip(part, contents, facts["files"], strict=True):
                if found is None:
                    failed[one.document_id] = Failure.FILE_REFUSED
                    continue
                appended = output.read(found["size"])
                prepared = PreparedTimestamp.from_json(found["prepared"], appended)
                self._finish(one, content, prepared, material, made, failed)

    def _finish(
        self,
        one: Taken,
        content: bytes,
        prepared: PreparedTimestamp,
        material: Material,
        made: list[_Renewed],
        failed: dict[UUID, Failure],
    ) -> None:
        try:
            raised = raising.filled(raising.checked(prepared, content), material, self.timestamp)
            made.append(_Renewed(one, raised, self._storage.put(content + raised.appended)))
        except PdfRefused:
            failed[one.document_id] = Failure.FILE_REFUSED
        except Unavailable:
            failed[one.document_id] = Failure.SERVICE_SILENT

    def _renew_alone(self, one: Taken, made: list[_Renewed], failed: dict[UUID, Failure]) -> None:
        path = self._storage.path_of(one.sha256)
        try:
            with transaction() as session:
                raised = raising.raise_to(session, self.settings, path, level=Level.ARCHIVE, timestamp=self.timestamp)
            made.append(_Renewed(one, raised, self._storage.put_after(one.sha256, raised.appended)))
        except (PdfRefused, NotFound, FileNotFoundError):
            failed[one.document_id] = Failure.FILE_REFUSED
        except Unavailable:
            failed[one.document_id] = Failure.SERVICE_SILENT

    def _accepted(
        self, made: Sequence[_Renewed], failed: dict[UUID, Failure], pool: ThreadPoolExecutor
    ) -> list[_Renewed]:
        """Return those that programs of others accept; the rest is thrown away."""
        valid = [
            checking.signatures_are_valid(self._storage.path_of(one.sha256), signatures=one.taken.signatures, pool=pool)
            for one in made
        ]
        good = []
        for one, is_valid, is_sound in zip(made, valid, self._sound(made), strict=True):
            if is_valid.result() and is_sound:
                good.append(one)
                continue
            failed[one.taken.document_id] = Failure.CHECK_FAILED
            self._storage.remove(one.sha256)
            log.error("renewed_file_not_accepted", document_id=str(one.taken.document_id))
        return good

    def _sound(self, made: Sequence[_Renewed]) -> list[bool]:
        answers: list[bool] = []
        for part in _parts(made, size=lambda one: one.taken.size):
            answers += checking.sound([(self._storage.path_of(one.sha256), one.taken.size) for one in part])
        return answers

    def _store(self, made: Sequence[_Renewed], failed: dict[UUID, Failure]) -> None:
        now = self.now()
        with transaction() as session:
            stored = _add_versions(session, made, now=now)
            late = {one.taken.document_id: Failure.OVERTAKEN for one in made if one.taken.document_id not in stored}
            for document_id, failure in {**failed, **late}.items():
                _note_failure(session, document_id, failure, now=now)
            count = len(failed) + len(late)
            runs.note_step(session, self.run_id, renewed=len(stored), failed=count, now=now)
            audit.record(
                session,
                house("archive.run"),
                "archive_renewed",
                object_kind="archive_run",
                object_id=self.run_id,
                renewed=len(stored),
                failed=count,
            )
            reach("archive.before_commit")

    def _current_material(self) -> Material:
        now = self.now()
        if self._gathered_at is None or now - self._gathered_at > _MATERIAL_LIFE:
            with transaction() as session:
                self._material = material_for(session, self.settings, clock.units_der(session, now=now))
            self._gathered_at = now
        return self._material


def _parts(many: Sequence[One], *, size: Callable[[One], int]) -> Sequence[Sequence[One]]:
    """Split so that what is read together stays small."""
    parts: list[list[One]] = []
    total = 0
    for one in many:
        if not parts or total + size(one) > _SMALL:
            parts.append([])
            total = 0
        parts[-1].append(one)
        total += size(one)
    return parts


def _add_versions(session: Session, made: Sequence[_Renewed], *, now: datetime) -> set[UUID]:
    """Add all as versions behind their bases; return the documents of those whose base was still the newest."""
    rows = [
        {
            "id": uuid.uuid4(),
            "document_id": one.taken.document_id,
            "number": one.taken.number + 1,
            "sha256": one.sha256,
            "size": one.taken.size + len(one.raised.appended),
            "pages": one.taken.pages,
            "signatures": one.taken.signatures,
            "made_by": MadeBy.PROOFS,
            "level": Level.ARCHIVE,
            "timestamp_pending": False,
            "person_id": one.taken.person_id,
            "made_at": now,
        }
        for one in made
    ]
    if not rows:
        return set()
    # One successor for each version: the unique pair of document and number decides who was first.
    added = insert(DocumentVersion).values(rows).on_conflict_do_nothing(index_elements=["document_id", "number"])
    ids = set(session.scalars(added.returning(DocumentVersion.document_id)))
    changed = [
        {
            "document_id": one.taken.document_id,
            "version_id": row["id"],
            "level": Level.ARCHIVE,
            "wanted": Level.ARCHIVE,
            "renew_by": one.raised.renew_by,
            "pending_since": None,
            "try_at": None,
            "attempts": 0,
            "failure": None,
            "leased_until": None,
            "checked_at": now,
            "checked_by": ", ".join(checking.installed()),
        }
        for one, row in zip(made, rows, strict=True)
        if one.taken.document_id in ids
    ]
    if changed:
        session.execute(update(ArchiveEntry), changed)
    return ids


def _note_failure(session: Session, document_id: UUID, failure: Failure, *, now: datetime) -> None:
    session.execute(
        update(ArchiveEntry)
        .where(ArchiveEntry.document_id == document_id)
        .values(failure=failure, tried_at=now, attempts=ArchiveEntry.attempts + 1, leased_until=None)
    )
