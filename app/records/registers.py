"""Numbers of documents: taken one after the other, kept for a paper document, given up with an explanation.

A series is one agency's, for one kind, for one year. Whoever takes a number holds the series' row until the transaction
ends, so a number that was not used is not gone: the next one gets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.claims import service as claims
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.i18n import local
from app.core.permissions import Actor, Permission
from app.records.kinds import ISSUED_KINDS, Kind, is_symbol, label, usual_symbol
from app.records.models import Entry, EntryState, Series, Symbol
from app.registry import scope
from app.registry.models import Agency
from app.registry.search import fold

LONGEST_SUBJECT: Final = 500
LONGEST_EXPLANATION: Final = 1000
_NO_ENTRY: Final = _l("There is no such entry, or it is in another agency's book.")


def today(now: datetime) -> date:
    """Return the day in the city: a document bears the date of the day on which it is issued."""
    return local(now).date()


def hold(session: Session, agency_id: UUID, kind: Kind, year: int) -> Series:
    """Return the series, begun if need be, locked until the transaction ends."""
    wanted = {"agency_id": agency_id, "kind": kind.value, "year": year}
    session.execute(
        insert(Series).values(**wanted).on_conflict_do_nothing(index_elements=["agency_id", "kind", "year"])
    )
    return session.scalars(select(Series).filter_by(**wanted).with_for_update(of=Series)).one()


def next_number(session: Session, series_id: UUID) -> int:
    """Return the number after the last one of the series."""
    return (session.scalar(select(func.max(Entry.number)).where(Entry.series_id == series_id)) or 0) + 1


def expected_number(session: Session, agency_id: UUID, kind: Kind, year: int) -> int:
    """Return the number that would be next, without holding anything: somebody else may take it first."""
    series = session.scalar(
        select(Series.id).where(Series.agency_id == agency_id, Series.kind == kind, Series.year == year)
    )
    return next_number(session, series) if series is not None else 1


def symbols_of(session: Session, agency: Agency) -> Mapping[Kind, str]:
    """Return what the agency writes behind the number of each kind of document."""
    rows = session.execute(select(Symbol.kind, Symbol.symbol).where(Symbol.agency_id == agency.id))
    chosen = {kind: symbol for kind, symbol in rows}  # noqa: C416  a Result is no mapping
    return {kind: chosen.get(kind.value, usual_symbol(kind, agency.name)) for kind in ISSUED_KINDS}


def choose_symbol(session: Session, actor: Actor, agency_id: UUID, kind: Kind, symbol: str, *, now: datetime) -> None:
    """Let the agency write `symbol` behind the numbers of that kind from now on."""
    agency = keeper_of(session, actor, agency_id)
    if not is_symbol(symbol):
        raise Invalid(
            _l("A symbol is letters and figures with hyphens between, at most 40."),
            _l("For example QĐ-SKHCN, or SKHCN-VP for a letter."),
        )
    if actor.account_id is None:
        raise Forbidden(_l("A person with an account chooses the symbol."))
    values = {"symbol": symbol, "chosen_by": actor.account_id, "chosen_at": now}
    session.execute(
        insert(Symbol)
        .values(agency_id=agency.id, kind=kind.value, **values)
        .on_conflict_do_update(index_elements=["agency_id", "kind"], set_=values)
    )
    audit.record(
        session,
        actor,
        "symbol_chosen",
        object_kind="agency",
        object_id=agency.id,
        agency_id=agency.id,
        kind=kind.value,
        symbol=symbol,
    )


def keeper_of(session: Session, actor: Actor, agency_id: UUID) -> Agency:
    """Return an agency whose book the actor keeps. Raises NotFound otherwise."""
    query = select(Agency).where(
        Agency.id == agency_id, scope.within(actor, Permission.ISSUE_DOCUMENTS, Agency.id.expression)
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such agency, or it is not yours to see."))
    return found


def reserve(
    session: Session, actor: Actor, agency_id: UUID, kind: Kind, *, subject: str, recipients: str, now: datetime
) -> Entry:
    """Keep the next number, of today, for a document that is on paper only or must not be in the house."""
    agency = keeper_of(session, actor, agency_id)
    if not subject.strip() or len(subject) > LONGEST_SUBJECT or actor.person_id is None:
        raise Invalid(_l("Say what the number is kept for, in up to 500 characters."))
    day = today(now)
    series = hold(session, agency.id, kind, day.year)
    number = next_number(session, series.id)
    written = label(number, symbols_of(session, agency)[kind])
    entry = Entry(
        series_id=series.id,
        number=number,
        label=written,
        issued_on=day,
        state=EntryState.RESERVED,
        subject=" ".join(subject.split()),
        search_text=search_text(written, subject, recipients),
        recipients=" ".join(recipients.split()),
        clerk_id=actor.person_id,
        made_at=now,
    )
    session.add(entry)
    session.flush()
    audit.record(
        session,
        actor,
        "number_reserved",
        object_kind="register_entry",
        object_id=entry.id,
        agency_id=agency.id,
        number=written,
    )
    return entry


def explain(session: Session, actor: Actor, entry_id: UUID, *, explanation: str, now: datetime) -> Entry:
    """Give a number up: a kept one is not used, an issued document is cancelled. It stays in the book, explained.

    Twice with the same words changes nothing. Raises NotFound for another agency's, Conflict for one explained already.
    """
    entry = find(session, actor, entry_id, Permission.ISSUE_DOCUMENTS, for_change=True)
    words = " ".join(explanation.split())
    if not words or len(words) > LONGEST_EXPLANATION or actor.person_id is None:
        raise Invalid(_l("Explain why the number is given up, in up to 1,000 characters."))
    if entry.explanation == words:
        return entry
    if entry.explanation is not None:
        raise Conflict(_l("This number was given up before. Its explanation stays as it is."))
    entry.explanation, entry.explained_by, entry.explained_at = words, actor.person_id, now
    entry.state = EntryState.UNUSED if entry.document_id is None else EntryState.CANCELLED
    session.flush()
    if entry.document_id is not None and entry.route_id is not None:
        claims.withdraw(session, actor, entry.document_id, now=now)
    audit.record(
        session,
        actor,
        "number_explained",
        object_kind="register_entry",
        object_id=entry.id,
        agency_id=entry.series.agency_id,
        number=entry.label,
        state=entry.state,
    )
    session.flush()
    return entry


def find(session: Session, actor: Actor, entry_id: UUID, *permissions: Permission, for_change: bool = False) -> Entry:
    """Return an entry of a book over which the actor has one of the permissions. Raises NotFound otherwise."""
    query = select(Entry).join(Entry.series).where(Entry.id == entry_id)
    if for_change:
        query = query.with_for_update(of=Entry)
    entry = session.scalar(query.execution_options(populate_existing=for_change))
    if entry is None or not any(scope.covers(session, actor, one, entry.series.agency_id) for one in permissions):
        raise NotFound(_NO_ENTRY)
    return entry


def search_text(*parts: str) -> str:
    """Return what an entry is found by, without marks."""
    return fold(" ".join(parts))
