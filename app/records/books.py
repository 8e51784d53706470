"""Reading an agency's book of a year: search, filter, the numbers that were given up, and the book as a file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.records import words
from app.records.kinds import Kind
from app.records.models import Entry, EntryState, Series
from app.registry import scope
from app.registry.models import Agency
from app.registry.search import pattern
from app.routes.board import table

PAGE: Final = 50
# Who reads a book: everyone of the agency who follows papers, and auditors.
READERS: Final = (Permission.ISSUE_DOCUMENTS, Permission.FOLLOW_ROUTES, Permission.READ_AUDIT)
_MOST_EXPORTED: Final = 100_000
_MOST_OFFERED: Final = 20
_LONGEST_SHEET_NAME: Final = 31
# In characters, of the columns of `_heads`.
_WIDTHS: Final = (18, 12, 22, 60, 24, 30, 24, 14, 40)


@dataclass(frozen=True)
class Filter:
    year: int
    text: str = ""
    kind: Kind | None = None
    state: EntryState | None = None


@dataclass(frozen=True)
class Found:
    entries: Sequence[Entry]
    count: int
    number: int
    pages: int


@dataclass(frozen=True)
class Book:
    """What a year's book of an agency holds."""

    agency: Agency
    year: int
    entries: int
    given_up: int


def agency_of(session: Session, actor: Actor, agency_id: UUID) -> Agency:
    """Return an agency whose books the actor may read. Raises NotFound otherwise."""
    found = session.scalar(select(Agency).where(Agency.id == agency_id, _readable(actor)))
    if found is None:
        raise NotFound(_l("There is no such agency, or it is not yours to see."))
    return found


def books(session: Session, actor: Actor) -> Sequence[Book]:
    """Return every book that the actor may read and that has entries, the newest year first."""
    given_up = Entry.state.in_((EntryState.UNUSED, EntryState.CANCELLED))
    query = (
        select(Agency, Series.year, func.count(Entry.id), func.count(Entry.id).filter(given_up))
        .join(Series, Series.agency_id == Agency.id)
        .join(Entry, Entry.series_id == Series.id)
        .where(_readable(actor))
        .group_by(Agency.id, Series.year)
        .order_by(Series.year.desc(), Agency.path)
    )
    return [Book(*row) for row in session.execute(query)]


def kept_by(session: Session, actor: Actor) -> Sequence[Agency]:
    """Return the agencies whose books the actor keeps, the nearest to the top first; a few for a menu."""
    query = (
        select(Agency)
        .where(scope.within(actor, Permission.ISSUE_DOCUMENTS, Agency.id.expression), Agency.merged_into_id.is_(None))
        .order_by(func.length(Agency.path), Agency.path)
        .limit(_MOST_OFFERED)
    )
    return session.scalars(query).all()


def search(session: Session, agency: Agency, wanted: Filter, *, page: int) -> Found:
    """Return a page (from 1) of a book, the newest entries first."""
    conditions = _conditions(agency, wanted)
    count = session.scalar(select(func.count(Entry.id)).join(Entry.series).where(*conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, page), pages)
    query = (
        select(Entry)
        .join(Entry.series)
        .where(*conditions)
        .order_by(Entry.issued_on.desc(), Entry.made_at.desc(), Entry.number.desc())
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    return Found(session.scalars(query).unique().all(), count, number, pages)


def whole(session: Session, agency: Agency, wanted: Filter) -> Sequence[Entry]:
    """Return all of a book in the order of the paper one: by kind, then by number."""
    query = (
        select(Entry)
        .join(Entry.series)
        .where(*_conditions(agency, wanted))
        .order_by(Series.kind, Entry.number)
        .limit(_MOST_EXPORTED)
    )
    return session.scalars(query).unique().all()


def given_up(session: Session, agency: Agency, year: int) -> Sequence[Entry]:
    """Return the numbers of a year that stand for no document in force, each with its explanation."""
    query = (
        select(Entry)
        .join(Entry.series)
        .where(
            Series.agency_id == agency.id,
            Series.year == year,
            Entry.state.in_((EntryState.UNUSED, EntryState.CANCELLED)),
        )
        .order_by(Series.kind, Entry.number)
    )
    return session.scalars(query).unique().all()


def as_csv(entries: Iterable[Entry]) -> bytes:
    """Return the entries as CSV."""
    return table(_heads(), (_line(one) for one in entries))


def as_workbook(entries: Iterable[Entry]) -> bytes:
    """Return the entries as an Office Open XML workbook of one sheet; every cell is text."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = _("Register")[:_LONGEST_SHEET_NAME]
    sheet.freeze_panes = "A2"
    for row, line in enumerate((_heads(), *map(_line, entries)), 1):
        for column, content in enumerate(line, 1):
            cell = sheet.cell(row, column, content)
            # Whatever it begins with: a text is never a formula.
            cell.data_type = "s"
            cell.font = Font(bold=row == 1)
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _heads() -> Sequence[str]:
    return (
        _("Number and symbol"),
        _("Date"),
        _("Kind"),
        _("Subject"),
        _("Signer"),
        _("Recipients"),
        _("Clerk"),
        _("State"),
        _("Explanation"),
    )


def _line(one: Entry) -> Sequence[str]:
    return (
        one.label,
        one.issued_on.strftime("%d/%m/%Y"),
        str(words.KINDS[Kind(one.series.kind)]),
        one.subject,
        one.signer.full_name if one.signer is not None else "",
        one.recipients,
        one.clerk.full_name,
        str(words.STATES[EntryState(one.state)]),
        one.explanation or "",
    )


def _readable(actor: Actor) -> ColumnElement[bool]:
    return or_(*(scope.within(actor, one, Agency.id.expression) for one in READERS))


def _conditions(agency: Agency, wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Series.agency_id == agency.id, Series.year == wanted.year]
    if wanted.text.strip():
        conditions.append(Entry.search_text.like(pattern(wanted.text)))
    if wanted.kind is not None:
        conditions.append(Series.kind == wanted.kind)
    if wanted.state is not None:
        conditions.append(Entry.state == wanted.state)
    return conditions
