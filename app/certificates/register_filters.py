"""What one may ask of the register: read from an address, written back to one, and turned into conditions.

Texts are never built into SQL: words become parameters, so that `%`, `_`, `&`, `:` and quotes mean themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, cast, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.certificates.models import Authority, Certificate, CertificateState
from app.certificates.register_models import CertificateName
from app.core.errors import Sentence
from app.core.i18n import CITY_ZONE
from app.core.permissions import Actor, Permission
from app.registry import scope
from app.registry.models import Agency, Person
from app.registry.search import fold, pattern
from pki.profiles import ProfileName

LONGEST_TEXT: Final = 100
# Kinds of end-entity certificates, in the order in which people look for them.
PROFILES: Final = (
    ProfileName.CITIZEN_SIGNING,
    ProfileName.OFFICIAL_SIGNING,
    ProfileName.AGENCY_SEAL,
    ProfileName.REPORT_SEAL,
    ProfileName.PASS_SIGNER,
    ProfileName.TRUST_LIST_SIGNER,
    ProfileName.DEVICE,
    ProfileName.OCSP_RESPONDER,
    ProfileName.TSA_UNIT,
)
_IDENTIFIER: Final = re.compile(r"[A-Z]{2}:VN-[0-9A-Z-]{1,40}")
_SERIAL: Final = re.compile(r"[0-9a-f]{8,40}")


class Status(StrEnum):
    """What a certificate is worth now, as people ask for it."""

    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    ENDED = "ended"


class Sort(StrEnum):
    NAME = "name"
    NEWEST = "newest"


@dataclass(frozen=True)
class Filters:
    """A search. Days are the city's, both included; None and "" ask for nothing."""

    # A name, a serial number or its beginning, or the identifier in a subject.
    q: str = ""
    # Words of a name, or a code; whatever lies below it is found too.
    agency: str = ""
    state: Status | None = None
    use: ProfileName | None = None
    # The name of an authority, as in addresses.
    authority: str = ""
    issued_from: date | None = None
    issued_to: date | None = None
    ends_from: date | None = None
    ends_to: date | None = None
    sort: Sort = Sort.NAME

    @property
    def order(self) -> Sort:
        """By name where an end is asked for: the newest certificates end last, so that one would read them all."""
        return Sort.NAME if self.ends_from or self.ends_to or self.state is Status.ENDED else self.sort

    @property
    def narrows(self) -> bool:
        """Whether it asks for less than everything."""
        return replace(self, sort=Sort.NAME) != Filters()

    def arguments(self) -> dict[str, str]:
        """Return the arguments of an address that mean this search, in one order, without those that ask nothing."""
        found = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value not in (None, "", one.default):
                found[one.name] = value.isoformat() if isinstance(value, date) else str(value)
        return found


def read(arguments: Mapping[str, str]) -> tuple[Filters, dict[str, Sentence]]:
    """Return the search that an address asks for, and what could not be understood of it, by field."""
    wrong: dict[str, Sentence] = {}
    days = {name: _read_day(arguments.get(name, ""), name, wrong) for name in _DAYS}
    for start, end in (("issued_from", "issued_to"), ("ends_from", "ends_to")):
        first, last = days[start], days[end]
        if first and last and first > last:
            wrong[end] = _l("This day lies before the first one. Enter it the other way round.")
    state, use, sort = arguments.get("state"), arguments.get("use"), arguments.get("sort")
    filters = Filters(
        q=_read_text(arguments.get("q", "")),
        agency=_read_text(arguments.get("agency", "")),
        state=Status(state) if state in set(Status) else None,
        use=ProfileName(use) if use in set(PROFILES) else None,
        authority=_read_text(arguments.get("authority", "")),
        sort=Sort(sort) if sort in set(Sort) else Sort.NAME,
        **days,
    )
    return filters, wrong


@dataclass(frozen=True)
class Conditions:
    """A search as conditions on `certificate`. `words` is what its name must hold, when it asks for a name."""

    # Of the whole city (None), or exactly these.
    agencies: Sequence[UUID] | None
    others: tuple[ColumnElement[bool], ...]
    words: str | None

    def all(self) -> list[ColumnElement[bool]]:
        """Return every condition, the name by the list of names."""
        return [*self.others, *([] if self.words is None else [bears(self.words)])]


def conditions(session: Session, actor: Actor, filters: Filters, *, now: datetime) -> Conditions:
    """Return what `filters` mean for `actor`, who finds only what lies within their agencies."""
    agencies = _agencies(session, actor, filters.agency)
    others: list[ColumnElement[bool]] = [Certificate.der.is_not(None)]
    if agencies is not None:
        others.append(Certificate.agency_id.in_(agencies) if agencies else false())
    words = None
    if filters.q:
        exact = _exact(session, filters.q)
        words = tsquery(filters.q) if exact is None else None
        others += [exact] if exact is not None else []
        if exact is None and words is None:
            others.append(false())
    if filters.authority:
        others.append(Certificate.authority_id.in_(_authorities(session, filters.authority)))
    if filters.use is not None:
        others.append(Certificate.profile == filters.use)
    return Conditions(agencies, (*others, *_in_state(filters.state, now), *_in_time(filters)), words)


def tsquery(text: str) -> str | None:
    """Return the query that wants every word of `text`, the last one begun; None if there is no word."""
    found = [f"'{word.replace(chr(92), chr(92) * 2).replace(chr(39), chr(39) * 2)}'" for word in fold(text).split()]
    return " & ".join(found) + ":*" if found else None


def bears(words: str) -> ColumnElement[bool]:
    """Return the condition that a certificate's name is one that holds `words`, by the list of names."""
    return Certificate.search_name.in_(select(CertificateName.name).where(holds(CertificateName.words, words)))


def holds(vector: ColumnElement[str] | InstrumentedAttribute[str], words: str) -> ColumnElement[bool]:
    """Return the condition that a vector of words holds `words`."""
    return vector.bool_op("@@")(cast(words, TSQUERY))


def words_of(name: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Return the words of a folded name, as the list of names keeps them."""
    parts = func.array_remove(func.string_to_array(name, " "), "")
    return func.array_to_tsvector(parts, type_=TSVECTOR())


_DAYS: Final = ("issued_from", "issued_to", "ends_from", "ends_to")


def _read_text(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:LONGEST_TEXT]


def _read_day(text: str, name: str, wrong: dict[str, Sentence]) -> date | None:
    if not text.strip():
        return None
    for shape in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), shape).replace(tzinfo=CITY_ZONE).date()
        except ValueError:
            continue
    wrong[name] = _l("This is not a day. Write it like 22/11/2026.")
    return None


def reach(session: Session, actor: Actor) -> Sequence[UUID] | None:
    """Return the agencies whose certificates the actor may find; None for the whole city."""
    return _agencies(session, actor, "")


def _agencies(session: Session, actor: Actor, text: str) -> Sequence[UUID] | None:
    """Return the agencies that are asked for and within the actor's reach; None for all there are and none."""
    reach = scope.within(actor, Permission.FIND_CERTIFICATES, Agency.id)
    if not text and scope.covers(session, actor, Permission.FIND_CERTIFICATES, None):
        return None
    asked: ColumnElement[bool] = true()
    if text:
        top = aliased(Agency)
        names = [top.search_name.like(pattern(word)) for word in fold(text).split()]
        above = select(top.path).where(or_(func.lower(top.code) == text.lower(), and_(*names)))
        asked = select(1).where(func.starts_with(Agency.path, above.subquery().c.path)).exists()
    return session.scalars(select(Agency.id).where(reach, asked)).all()


def _authorities(session: Session, name: str) -> Sequence[UUID]:
    return session.scalars(select(Authority.id).where(Authority.name == name)).all()


def _exact(session: Session, text: str) -> ColumnElement[bool] | None:
    """Return the condition of a text that is a serial number, its beginning, or an identifier; None for a name."""
    if _IDENTIFIER.fullmatch(text.upper()):
        person = session.scalar(select(Person.id).where(Person.identifier == text.upper()))
        return Certificate.person_id == person if person else false()
    serial = text.lower().replace(":", "").replace(" ", "")
    if not _SERIAL.fullmatch(serial) or not (":" in text or any(letter.isdigit() for letter in serial)):
        return None
    first = bytes.fromhex(serial + "0" * (len(serial) % 2))
    # The first number that does not begin so; serial numbers are shorter than 20 octets.
    last = bytes.fromhex(serial + "f" * (42 - len(serial)))
    serials = Certificate.serial.between(first, last)
    # PostgreSQL finds the range in the index on authority and number, one authority after the other.
    return and_(Certificate.authority_id.in_(session.scalars(select(Authority.id)).all()), serials)


def _in_state(state: Status | None, now: datetime) -> list[ColumnElement[bool]]:
    match state:
        case None:
            return []
        case Status.SUSPENDED:
            return [Certificate.state == CertificateState.HELD]
        case Status.REVOKED:
            return [Certificate.state == CertificateState.REVOKED]
        case Status.IN_FORCE:
            return [Certificate.state == CertificateState.ISSUED, Certificate.not_after >= now]
        case Status.ENDED:
            return [Certificate.state == CertificateState.ISSUED, Certificate.not_after < now]


def _in_time(filters: Filters) -> list[ColumnElement[bool]]:
    found = _between(Certificate.created_at, filters.issued_from, filters.issued_to)
    ends = _between(Certificate.not_after, filters.ends_from, filters.ends_to)
    if ends and filters.state is None:
        # What is in force has an index by its end, and so has what is held or revoked: together they are everything.
        ended = Certificate.state.in_((CertificateState.HELD, CertificateState.REVOKED))
        return [*found, or_(and_(Certificate.state == CertificateState.ISSUED, *ends), and_(ended, *ends))]
    return [*found, *ends]


def _between(
    moment: InstrumentedAttribute[datetime], first: date | None, last: date | None
) -> list[ColumnElement[bool]]:
    found = []
    if first is not None:
        found.append(moment >= datetime.combine(first, time(), CITY_ZONE))
    if last is not None:
        found.append(moment < datetime.combine(last + timedelta(days=1), time(), CITY_ZONE))
    return found
