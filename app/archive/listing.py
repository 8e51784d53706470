"""What the pages of the archive show: what is due in which month, single documents, failures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.archive.models import ArchiveEntry
from app.core.i18n import local
from app.core.permissions import Actor, Permission
from app.documents.models import Document
from app.registry import scope
from app.registry.models import Agency
from app.registry.search import pattern

PAGE: Final = 50
# Of any columns.
_Query = Select[*tuple[Any, ...]]
_CSV_ROWS: Final = 100_000
# A cell that begins like this is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Shown(StrEnum):
    """Which documents are listed."""

    ALL = "all"
    DUE = "due"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True)
class Line:
    entry: ArchiveEntry
    title: str
    agency: str


@dataclass(frozen=True)
class Listed:
    lines: Sequence[Line]
    count: int
    number: int
    pages: int


@dataclass(frozen=True)
class Counts:
    all: int
    due: int
    pending: int
    failed: int
    # Checked by other programs after the newest proof.
    checked: int


def counts(session: Session, actor: Actor, *, now: datetime) -> Counts:
    query = select(
        func.count(),
        func.count().filter(ArchiveEntry.renew_by < now),
        func.count().filter(ArchiveEntry.pending_since.is_not(None)),
        func.count().filter(ArchiveEntry.failure.is_not(None)),
        func.count().filter(ArchiveEntry.checked_at.is_not(None)),
    )
    found = session.execute(_joined(query, actor)).one()
    return Counts(*found)


def months(session: Session, actor: Actor) -> Sequence[tuple[datetime, int]]:
    """Return the months in which documents are due, with how many, the earliest first."""
    month = func.date_trunc("month", ArchiveEntry.renew_by)
    query = select(month, func.count()).where(ArchiveEntry.renew_by.is_not(None)).group_by(month).order_by(month)
    return [(at, count) for at, count in session.execute(_joined(query, actor))]


def search(session: Session, actor: Actor, text: str, shown: Shown, *, page: int, now: datetime) -> Listed:
    """Return a page (from 1) of the documents in the actor's scope, those due first."""
    conditions = _conditions(text, shown, now=now)
    count = session.scalar(_joined(select(func.count()), actor).where(*conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, page), pages)
    query = _lines(actor).where(*conditions).limit(PAGE).offset((number - 1) * PAGE)
    return Listed([Line(entry, title, agency) for entry, title, agency in session.execute(query)], count, number, pages)


def table(session: Session, actor: Actor, text: str, shown: Shown, *, now: datetime) -> Iterator[str]:
    """Yield the list as lines of CSV, with a mark that spreadsheets know UTF-8 by."""
    yield "\ufeff"
    yield _csv(["document", "title", "agency", "level", "wanted", "renew_by", "failure", "checked_at", "checked_by"])
    query = _lines(actor).where(*_conditions(text, shown, now=now)).limit(_CSV_ROWS)
    for entry, title, agency in session.execute(query):
        yield _csv(
            [
                str(entry.document_id),
                title,
                agency,
                entry.level,
                entry.wanted,
                _moment(entry.renew_by),
                entry.failure or "",
                _moment(entry.checked_at),
                entry.checked_by or "",
            ]
        )


def _lines(actor: Actor) -> Select[ArchiveEntry, str, str]:
    query = select(ArchiveEntry, Document.title, Agency.name).select_from(ArchiveEntry)
    query = query.join(Document, Document.id == ArchiveEntry.document_id).join(Agency, Agency.id == Document.agency_id)
    within = scope.within(actor, Permission.READ_ARCHIVE, Document.agency_id)
    return query.where(within).order_by(ArchiveEntry.renew_by, ArchiveEntry.document_id)


def _joined(query: _Query, actor: Actor) -> _Query:
    joined = query.select_from(ArchiveEntry).join(Document, Document.id == ArchiveEntry.document_id)
    return joined.where(scope.within(actor, Permission.READ_ARCHIVE, Document.agency_id))


def _conditions(text: str, shown: Shown, *, now: datetime) -> list[ColumnElement[bool]]:
    conditions: dict[Shown, ColumnElement[bool]] = {
        Shown.DUE: ArchiveEntry.renew_by < now,
        Shown.PENDING: ArchiveEntry.pending_since.is_not(None),
        Shown.FAILED: ArchiveEntry.failure.is_not(None),
    }
    wanted = [conditions[shown]] if shown in conditions else []
    return [*wanted, Document.search_title.like(pattern(text))] if text.strip() else wanted


def _moment(at: datetime | None) -> str:
    return local(at).isoformat(timespec="seconds") if at is not None else ""


def _csv(cells: Sequence[str]) -> str:
    output = io.StringIO()
    csv.writer(output).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return output.getvalue()
