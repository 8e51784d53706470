"""Finding certificates among a million: two ways through the same conditions, and a page of narrow rows.

A search that PostgreSQL expects to find little is answered by collecting all of it and sorting; one that finds much is
answered by walking an ordered index until the page is full. PostgreSQL itself would choose by the length of the page,
which goes wrong exactly where a filter and an order have to do with each other, so the choice is made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ClauseElement, ColumnElement, Executable, Row, Select, func, select, text, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler

from app.certificates import register_counters
from app.certificates.models import Certificate
from app.certificates.register_filters import Conditions, Filters, Sort, Status, bears, conditions, holds, words_of
from app.certificates.register_models import CertificateName
from app.core.permissions import Actor
from app.registry.models import Agency

PAGE: Final = 25
# In PostgreSQL's own units of cost: reading one row somewhere, some 10 µs where the page lies in the system's memory.
_ONE_ROW: Final = 4.0
# What may always be collected, since it shows the exact count: some 30 ms.
_CHEAP: Final = 10_000.0
# A walk may come upon fewer rows than an even spread would bring.
_UNEVEN: Final = 2.0
# So many names in order are enough for a page, unless few of their bearers are asked for; sorting all takes longer.
_NAMES: Final = 1_000
# More than this was not expected of what is collected; it is given up then.
_MOST: Final = 50_000

_COLUMNS: Final = (
    Certificate.id,
    Certificate.label,
    Certificate.search_name,
    Certificate.profile,
    Certificate.serial,
    Certificate.not_after,
    Certificate.created_at,
    Certificate.state,
    Certificate.agency_id,
)
# The plan must fit these very values: “Nguyễn” wants another one than “Khuất”.
_PLANNING: Final = text(
    "SELECT reltuples, set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
    " FROM pg_class WHERE oid = 'certificate'::regclass"
)

_Line = Row[*tuple[Any, ...]]
_Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Line:
    """A certificate in a list; its bytes and its revocation are not read."""

    id: UUID
    label: str
    profile: str
    serial: bytes
    not_after: datetime
    created_at: datetime
    state: str
    agency: str | None

    @property
    def serial_hex(self) -> str:
        return self.serial.hex()


@dataclass(frozen=True)
class Found:
    """A page. The keys are of its last and first line where there is more behind or before them."""

    lines: Sequence[Line]
    next_key: UUID | None
    previous_key: UUID | None
    # How many there are in all; None where counting them would take longer than finding them.
    count: int | None
    # About how many, if nobody counted.
    about: int


@dataclass(frozen=True)
class Forecast:
    """How many rows a query brings and what it costs, as PostgreSQL expects it; the unit is a page read in order."""

    rows: int
    cost: float


@dataclass(frozen=True)
class _Position:
    """Where a page begins, not included; `backwards` for the page before it."""

    value: str | datetime
    id: UUID
    backwards: bool


def search(
    session: Session,
    actor: Actor,
    filters: Filters,
    *,
    after: UUID | None = None,
    before: UUID | None = None,
    now: datetime,
    page: int = PAGE,
) -> Found:
    """Return the page of what the actor may find after (or before) a certificate, in the order of `filters.sort`."""
    table = float(session.execute(_PLANNING).scalar_one())
    asked, sort = conditions(session, actor, filters, now=now), filters.order
    position = _position(session, sort, after, before)
    everything, forecast = _cheapest(session, asked)
    rows, count = None, None
    # An index in the order of the table makes PostgreSQL hope for fewer pages than a grown table then reads.
    cost = max(forecast.cost, _ONE_ROW * forecast.rows)
    if cost <= max(_CHEAP, _UNEVEN * _cost_of_walk(session, asked, sort, forecast, table, page)):
        rows, count = _collect(session, everything, sort, position, page)
    if rows is None:
        rows = session.execute(_walk(asked, sort, position, page, _NAMES)).all()
        if len(rows) <= page and asked.words is not None:
            # The first names bear too few that are asked for, or it is the last page.
            rows = session.execute(_walk(asked, sort, position, page)).all()
        count = _counted(session, asked, filters)
    return _page(session, rows, position, page, count, forecast.rows)


def matching_ids(session: Session, actor: Actor, filters: Filters, *, now: datetime) -> Select[UUID]:
    """Return the query for the ids of everything that the search finds, in no order; within the actor's reach."""
    return select(Certificate.id).where(*conditions(session, actor, filters, now=now).all())


def in_order(asked: Conditions, sort: Sort, last: tuple[str | datetime, UUID] | None, many: int) -> _Query:
    """Return the query for the next `many` rows of a search after `last`, for readers of the whole result."""
    position = None if last is None else _Position(last[0], last[1], backwards=False)
    return _walk(asked, sort, position, many - 1)


def sort_value(sort: Sort, row: _Line) -> tuple[str | datetime, UUID]:
    """Return what `in_order` goes on from after `row`."""
    return (row.search_name if sort is Sort.NAME else row.created_at), row.id


def expect(session: Session, statement: _Query) -> Forecast:
    """Return what PostgreSQL expects of a query, without running it."""
    plan = session.execute(_Explain(statement)).scalar_one()[0]["Plan"]
    return Forecast(int(plan["Plan Rows"]), float(plan["Total Cost"]))


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: _Query) -> None:
        self.statement = statement


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **given: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **given)}"


def _position(session: Session, sort: Sort, after: UUID | None, before: UUID | None) -> _Position | None:
    """Look up where a page begins. An address holds only the id: no name stands in it."""
    key = after or before
    if key is None:
        return None
    value = session.scalar(select(_order_of(sort)).where(Certificate.id == key))
    return None if value is None else _Position(value, key, backwards=after is None)


def _cheapest(session: Session, asked: Conditions) -> tuple[_Query, Forecast]:
    """Return the query for everything that is asked, by the list of names or by reading each name, and its forecast."""
    listed = select(*_COLUMNS).where(*asked.all())
    forecast = expect(session, listed)
    if asked.words is None:
        return listed, forecast
    read = select(*_COLUMNS).where(*asked.others, holds(words_of(Certificate.search_name), asked.words))
    cost = expect(session, read).cost
    # Nothing is known of how many bear the words without the list, so that the number is the list's in any case.
    return (read, Forecast(forecast.rows, cost)) if cost < forecast.cost else (listed, forecast)


def _cost_of_walk(
    session: Session, asked: Conditions, sort: Sort, forecast: Forecast, table: float, page: int
) -> float:
    """Return about what it costs to walk until the page is full, if what is found is spread evenly."""
    wanted = (page + 1) / max(forecast.rows, 1)
    if sort is Sort.NEWEST or asked.words is None:
        return _ONE_ROW * wanted * max(table, 1.0)
    names = expect(session, select(CertificateName.name).where(holds(CertificateName.words, asked.words)))
    bearers = expect(session, select(Certificate.id).where(bears(asked.words)))
    # The names are sorted first, and the index is entered anew for each.
    return names.cost + 2 * _ONE_ROW * wanted * max(bearers.rows, 1)


def _collect(
    session: Session, everything: _Query, sort: Sort, position: _Position | None, page: int
) -> tuple[Sequence[_Line] | None, int | None]:
    """Return a page and the count of everything; (None, None) if it is far more than was expected."""
    found = everything.limit(_MOST + 1).cte("found")
    total = select(func.count()).select_from(found).scalar_subquery()
    wanted = select(found, total.label("total"))
    value = found.c.search_name if sort is Sort.NAME else found.c.created_at
    rows = session.execute(_paged(wanted, value, found.c.id, sort, position, page)).all()
    if not rows:
        return rows, 0 if position is None else None
    return (None, None) if rows[0].total > _MOST else (rows, rows[0].total)


def _walk(
    asked: Conditions, sort: Sort, position: _Position | None, page: int, most_names: int | None = None
) -> _Query:
    if sort is Sort.NAME and asked.words is not None:
        return _walk_names(asked, asked.words, position, page, most_names)
    names = [] if asked.words is None else [holds(words_of(Certificate.search_name), asked.words)]
    wanted = select(*_COLUMNS).where(*asked.others, *names)
    return _paged(wanted, _order_of(sort), Certificate.id, sort, position, page)


def _walk_names(asked: Conditions, words: str, position: _Position | None, page: int, most_names: int | None) -> _Query:
    """Walk the list of names that hold the words, and at each the certificates that bear it."""
    backwards = position is not None and position.backwards
    names = select(CertificateName.name).where(holds(CertificateName.words, words))
    if position is not None:
        reached = CertificateName.name <= position.value if backwards else CertificateName.name >= position.value
        names = names.where(reached)
    first = names.order_by(CertificateName.name.desc() if backwards else CertificateName.name).limit(most_names)
    # Made distinct only then: a name that two processes brought at once stands there twice.
    listed = first.subquery("listed")
    distinct = select(listed.c.name).distinct()
    name = distinct.order_by(listed.c.name.desc() if backwards else listed.c.name).subquery("name")
    bearers = select(*_COLUMNS).where(Certificate.search_name == name.c.name, *asked.others)
    one = _paged(bearers, _order_of(Sort.NAME), Certificate.id, Sort.NAME, position, page).lateral("one")
    order = (name.c.name.desc(), one.c.id.desc()) if backwards else (name.c.name, one.c.id)
    return select(one).select_from(name).join(one, one.c.id.is_not(None)).order_by(*order).limit(page + 1)


def _paged(
    wanted: _Query,
    value: ColumnElement[Any],
    key: ColumnElement[UUID] | InstrumentedAttribute[UUID],
    sort: Sort,
    position: _Position | None,
    page: int,
) -> _Query:
    """Order, begin after the position, and end one row after the page."""
    downwards = (sort is Sort.NEWEST) != (position is not None and position.backwards)
    if position is not None:
        here, there = tuple_(value, key), tuple_(position.value, position.id)
        wanted = wanted.where(here < there if downwards else here > there)
    order = (value.desc(), key.desc()) if downwards else (value, key)
    return wanted.order_by(*order).limit(page + 1)


def _order_of(sort: Sort) -> ColumnElement[Any]:
    column = Certificate.search_name if sort is Sort.NAME else Certificate.created_at
    return column.expression


def _counted(session: Session, asked: Conditions, filters: Filters) -> int | None:
    """Return the count from the counters where they know it: nothing is asked but who, what and which state."""
    days = (filters.issued_from, filters.issued_to, filters.ends_from, filters.ends_to)
    if filters.q or any(days) or filters.state in {Status.IN_FORCE, Status.ENDED}:
        return None
    return register_counters.total(
        session, agencies=asked.agencies, state=filters.state, profile=filters.use, authority=filters.authority
    )


def _page(
    session: Session, rows: Sequence[_Line], position: _Position | None, page: int, count: int | None, about: int
) -> Found:
    backwards = position is not None and position.backwards
    more, rows = len(rows) > page, rows[:page]
    if backwards:
        rows = rows[::-1]
    agencies = agency_names(session, {row.agency_id for row in rows if row.agency_id})
    lines = [
        Line(
            row.id,
            row.label,
            row.profile,
            row.serial,
            row.not_after,
            row.created_at,
            row.state,
            agencies.get(row.agency_id),
        )
        for row in rows
    ]
    behind, ahead = (True, more) if backwards else (more, position is not None)
    if position is None and not more:
        count = len(lines)
    following = lines[-1].id if lines and behind else None
    return Found(lines, following, lines[0].id if lines and ahead else None, count, about)


def agency_names(session: Session, agency_ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of agencies by id."""
    if not agency_ids:
        return {}
    found = session.execute(select(Agency.id, Agency.name).where(Agency.id.in_(agency_ids)))
    return {row.id: row.name for row in found}
