"""What changed since the stored answers were made: heard from the database at commit, by a thread of its own.

A worker is *in step* while it hears: it has read every change that its files may lack, and the database has answered
on the same connection within the last seconds. Out of step, no stored answer is used and every status is asked for.

The order that makes this right: LISTEN first, then read the changes since the file's snapshot; whatever commits later
is told to us. One thread does both, so that nothing falls in between.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Final
from uuid import UUID

import psycopg
from psycopg import Notify

from app.core.logs import log
from app.status.answer_file import AnswerFile, AnswerFileError, Slot, files_in

# A connection that says nothing for this long is not believed any more.
BELIEVED: Final = 3.0
_PAUSE: Final = 0.5
_BEAT: Final = 1.0
# Past this, a worker would rather ask the database than keep a list of everything that changed.
_MOST_CHANGES: Final = 300_000
_CHANGES: Final = "SELECT authority_id, serial FROM status_change WHERE transaction >= %s"
# A snapshot from the future belongs to another database, or to one that was put back from a copy.
_NEXT_TRANSACTION: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

Connect = Callable[[], "psycopg.Connection[tuple[object, ...]]"]
PublishedHandler = Callable[[str], None]


@dataclass
class Book:
    """The stored answers of one authority, and the serial numbers that they may be wrong about."""

    file: AnswerFile
    # How often each was changed since: an answer cached under one count is void under the next.
    changed: dict[bytes, int] = field(default_factory=dict)

    def look_up(self, serial: bytes) -> Slot | None:
        """Return the stored answer, None if there is none or it may be out of date."""
        return None if serial in self.changed else self.file.look_up(serial)


class Feed:
    """Listens to the database and holds the books of this process."""

    def __init__(self, connect: Connect, folder: Path, *, published: PublishedHandler = lambda _: None) -> None:
        """`published` is told `<authority>/<list>` when a list is new, and `` when any may be."""
        self._connect, self._folder, self._published = connect, folder, published
        self._books: dict[UUID, Book] = {}
        self._inodes: dict[Path, int] = {}
        self._believed_until = 0.0
        self._stopping = Event()
        # A book whose changes are being read: what is told meanwhile belongs to it too.
        self._opening: tuple[UUID, Book] | None = None
        self._thread: Thread | None = None

    @property
    def in_step(self) -> bool:
        return monotonic() < self._believed_until

    def book(self, authority_id: UUID) -> Book | None:
        """Return the book of an authority; None while this worker is out of step, or before there is one."""
        return self._books.get(authority_id) if monotonic() < self._believed_until else None

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="status-feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._follow(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("status_feed_lost", why=type(error).__name__)
            finally:
                self._believed_until = 0.0
            self._stopping.wait(_PAUSE)

    def _follow(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        connection.add_notify_handler(self._hear)
        connection.execute("LISTEN kyvao_status")
        connection.execute("LISTEN kyvao_crl")
        # What was missed while nobody listened is read again with each file.
        self._inodes.clear()
        self._published("")
        while not self._stopping.is_set():
            asked_at = monotonic()
            connection.execute("SELECT 1")
            self._read_new_files(connection)
            self._believed_until = asked_at + BELIEVED
            select.select([connection.fileno()], [], [], _BEAT)

    def _read_new_files(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        paths = set(files_in(self._folder))
        for path in paths:
            try:
                if path.stat().st_ino != self._inodes.get(path):
                    self._read(connection, path)
            except (OSError, AnswerFileError) as error:
                log.error("stored_answers_unreadable", file=path.name, why=type(error).__name__)
        if gone := self._inodes.keys() - paths:
            kept = {self._inodes.pop(path) for path in gone}
            self._books = {one: book for one, book in self._books.items() if book.file.inode not in kept}

    def _read(self, connection: psycopg.Connection[tuple[object, ...]], path: Path) -> None:
        file = AnswerFile(path)
        self._inodes[path] = file.inode
        snapshot, identifier = file.header.snapshot, file.header.authority_id
        row = connection.execute(_NEXT_TRANSACTION).fetchone()
        books = {one: book for one, book in self._books.items() if one != identifier}
        if row is not None and isinstance(row[0], int) and snapshot <= row[0]:
            book = books[identifier] = Book(file)
            self._opening = identifier, book
            with connection.cursor() as cursor:
                _note(book, (serial for one, serial in cursor.stream(_CHANGES, (snapshot,)) if one == identifier))
            log.info("stored_answers_opened", file=path.name, answers=file.header.count, changed=len(book.changed))
        else:
            log.error("stored_answers_of_another_database", file=path.name)
        self._books, self._opening = books, None

    def _hear(self, notify: Notify) -> None:
        if notify.channel == "kyvao_crl":
            self._published(notify.payload)
            return
        for part in notify.payload.split(","):
            authority, _, serial = part.partition(":")
            identifier = UUID(authority)
            opening = self._opening[1] if self._opening is not None and self._opening[0] == identifier else None
            for book in (self._books.get(identifier), opening):
                if book is not None:
                    _note(book, [bytes.fromhex(serial)])
        # A list that grows without end is given up, and with it the file: the database is asked instead.
        self._books = {one: book for one, book in self._books.items() if len(book.changed) < _MOST_CHANGES}


def _note(book: Book, serials: Iterable[object]) -> None:
    for serial in serials:
        if isinstance(serial, bytes):
            key = serial.lstrip(b"\0")
            book.changed[key] = book.changed.get(key, 0) + 1
