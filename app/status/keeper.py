"""Making the files of stored OCSP answers anew: when they grow old, when much has changed, when many are missing.

Each file is made from the register alone, in one transaction that sees one moment; what is signed already and young
enough is taken over. So a file heals whatever an earlier one lacked, and `kill -9` costs only the work of one round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.certificates.models import Certificate, StatusChange
from app.core.db import transaction
from app.core.logs import log
from app.core.settings import Settings
from app.status.answer_file import AnswerFile, AnswerFileError, AnswerFileWriter, Slot, path_of
from app.status.clock_guard import MACHINE
from app.status.lookups import UNKNOWN, State, state_of, statuses
from app.status.material import Served, answers_folder, read
from app.status.wire import Composer, Said
from pki.errors import KeyUnavailable

BEAT: Final = 5.0
# Not sooner than this, whatever happens: a round reads the whole register.
_AT_LEAST: Final = timedelta(seconds=60)
_MANY_CHANGES: Final = 5_000
_MANY_NEW: Final = 1_000
# A round after each quarter of an answer's life; one that will be half over before the next round is signed anew.
_ROUND: Final = 0.25
_YOUNG: Final = 0.3
_PAGE: Final = 5_000
# Longer than any file is believed (see `Keeper._prune`).
_CHANGES_KEPT: Final = timedelta(days=8)

_SNAPSHOT: Final = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_ONE_MOMENT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_INSERTED: Final = text("SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables WHERE relname = 'certificate'")


@dataclass(frozen=True)
class Made:
    """What one round made of one authority."""

    name: str
    count: int
    signed: int
    snapshot: int
    oldest: datetime


class Keeper:
    """Keeps the files of one machine."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = MACHINE.day) -> None:
        self._settings, self._now = settings, now
        self._folder = answers_folder(settings)
        self._made: list[Made] = []
        self._made_at: datetime | None = None
        self._inserted = 0

    def run(self, stopping: Event) -> None:
        """Look every few seconds until told to stop; a database that is away is waited for."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._folder.glob(".*"):
            left.unlink()
        while not stopping.is_set():
            try:
                if why := self.due():
                    self.make_all(why, stopping)
            except (SQLAlchemyError, KeyUnavailable, OSError) as error:
                log.error("stored_answers_not_made", why=type(error).__name__)
            stopping.wait(BEAT)

    def due(self) -> str | None:
        """Return why a round is due, None if none is."""
        now = self._now()
        if self._made_at is None:
            return "start"
        if now - self._made_at < _AT_LEAST:
            return None
        if not self._made or now - self._made_at >= self._settings.ocsp_lifetime * _ROUND:
            return "age"
        with transaction() as session:
            if self._inserted_now(session) - self._inserted >= _MANY_NEW:
                return "new"
            since = min(made.snapshot for made in self._made)
            changes = select(StatusChange.id).where(StatusChange.transaction >= since).limit(_MANY_CHANGES)
            return "changes" if len(session.scalars(changes).all()) == _MANY_CHANGES else None

    def make_all(self, why: str, stopping: Event) -> None:
        """Make the file of every authority with a responder here. Raises SQLAlchemyError, KeyUnavailable, OSError."""
        started, now = monotonic(), self._now()
        with transaction() as session:
            served = list(read(session, self._settings, now=now).by_prefix.values())
            self._inserted = self._inserted_now(session)
        made = []
        for one in served:
            if stopping.is_set():
                return
            made.append(self._make(one, now, stopping))
        self._remove_others({one.name for one in served})
        self._made, self._made_at = made, now
        self._prune(now)
        took = round(monotonic() - started, 1)
        count, signed = sum(one.count for one in made), sum(one.signed for one in made)
        log.info("stored_answers_made", why=why, answers=count, signed=signed, seconds=took)

    def _make(self, served: Served, now: datetime, stopping: Event) -> Made:
        lifetime = int(self._settings.ocsp_lifetime.total_seconds())
        signer = _Signer(served, _opened(path_of(self._folder, served.name)), int(now.timestamp()), lifetime)
        with transaction() as session:
            session.execute(_ONE_MOMENT)
            snapshot = int(session.execute(_SNAPSHOT).scalar_one())
            alive = (Certificate.authority_id == served.authority_id, Certificate.not_after > now)
            expected = session.scalar(select(func.count()).select_from(Certificate).where(*alive)) or 0
            writer = AnswerFileWriter(
                path_of(self._folder, served.name), authority_id=served.authority_id,
                responder_sha256=served.composer.sha256, lifetime=lifetime, expected=expected,
            )  # fmt: skip
            with writer:
                rows = session.execute(statuses().where(*alive).execution_options(yield_per=_PAGE))
                for page in rows.partitions():
                    if stopping.is_set():
                        raise InterruptedError
                    for serial, state, at, reason in page:
                        signer.put(writer, serial, state_of(state, at, reason))
                writer.finish(snapshot=snapshot, built_at=int(now.timestamp()))
        return Made(served.name, writer.count, signer.signed, snapshot, now)

    def _remove_others(self, names: set[str]) -> None:
        """Remove the files of authorities that are not answered for any more."""
        for path in set(self._folder.glob("*.answers")) - {path_of(self._folder, name) for name in names}:
            path.unlink()

    def _prune(self, now: datetime) -> None:
        if not self._made:
            return
        before = min(one.snapshot for one in self._made)
        old = (StatusChange.transaction < before, StatusChange.changed_at < now - _CHANGES_KEPT)
        with transaction() as session:
            session.execute(delete(StatusChange).where(*old))

    def _inserted_now(self, session: Session) -> int:
        return int(session.execute(_INSERTED).scalar_one())


class _Signer:
    """Signs, or takes over from the file before."""

    def __init__(self, served: Served, before: AnswerFile | None, now: int, lifetime: int) -> None:
        composer: Composer = served.composer
        same = before is not None and before.header.responder_sha256 == composer.sha256
        self._before = before if before is not None and same and before.header.lifetime == lifetime else None
        self._served, self._now, self._lifetime = served, now, lifetime
        self.signed = 0

    def put(self, writer: AnswerFileWriter, serial: bytes, state: State) -> None:
        """Store the answer for one certificate; an intent that is not signed yet has none."""
        if state.status == UNKNOWN:
            return
        found = self._before.look_up(serial) if self._before is not None else None
        if found is not None and self._may_stay(found, state):
            writer.add(serial, found)
            return
        said = Said(state.status, state.reason, state.revoked_at, self._now, self._now + self._lifetime)
        composer = self._served.composer
        signature = composer.sign(composer.to_be_signed(self._served.prefix, serial, said))
        writer.add(serial, Slot(state.status, state.reason, state.revoked_at, self._now, signature))
        self.signed += 1

    def _may_stay(self, found: Slot, state: State) -> bool:
        same = (found.status, found.reason, found.revoked_at) == (state.status, state.reason, state.revoked_at)
        return same and 0 <= self._now - found.this_update < self._lifetime * _YOUNG


def _opened(path: Path) -> AnswerFile | None:
    try:
        return AnswerFile(path)
    except (OSError, AnswerFileError):
        return None


def stored(folder: Path) -> Iterator[tuple[str, AnswerFile]]:
    """Give every readable file with the name of its authority."""
    for path in sorted(folder.glob("*.answers")):
        file = _opened(path)
        if file is not None:
            yield path.stem, file
