"""Building the encrypted roster, in `worker`, which can open passes.

A record is sealed anew only when what it shows has changed; a pass that ended loses its record with the next version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.i18n import CITY_ZONE
from app.core.settings import Settings
from app.gate.models import Checkpoint, Device
from app.gate.models_roster import Roster, RosterRecord
from app.gate.roster import AFTER_MIDNIGHT, entries
from app.meetings import sealing
from app.meetings.models import Building, Guest, Meeting, Pass, PassState, Room
from pki.errors import ProfileViolation
from pki.keys import SigningKey
from pki.passes import claims as pass_claims
from pki.passes import cose, digits, roster
from pki.passes.roster import Record, RosterFlags
from pki.passes.signed_list import Edition

_LOCK: Final = 4_901_339
# Letters of each text that a guard is shown.
_LONGEST: Final = 60

Flags = Callable[[Session, Collection[UUID]], Mapping[UUID, RosterFlags]]
_flags: Final[list[Flags]] = []


@dataclass(frozen=True)
class _Expected:
    """A valid pass of the day, and what is to be shown of its guest."""

    pass_id: UUID
    # As the row of the pass holds it.
    pass_sealed: bytes
    record: Record

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.record.encode()).digest()


def register_flags(source: Flags) -> None:
    """Let a capability above add flags to records, by guest; doing it twice changes nothing."""
    if source not in _flags:
        _flags.append(source)


def buildings_with_tablets(session: Session) -> Sequence[Building]:
    """Return the buildings where a tablet is in use."""
    in_use = (
        select(Device.id)
        .join(Checkpoint, Checkpoint.id == Device.checkpoint_id)
        .where(Checkpoint.building_id == Building.id, Device.enrolled_at.is_not(None), Device.revoked_at.is_(None))
    )
    return session.scalars(select(Building).where(in_use.exists()).order_by(Building.code)).all()


def build(
    session: Session, settings: Settings, building: Building, day: date, *, key: SigningKey, now: datetime
) -> bool:
    """Bring the roster of a building and day up to date; say whether that made a new version."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = _roster(session, building, day, now)
    expected = _expected(session, building, day)
    there = select(RosterRecord.pass_id, RosterRecord.content_sha256).where(
        RosterRecord.roster_id == found.id, ~RosterRecord.removed
    )
    known = {row.pass_id: row.content_sha256 for row in session.execute(there)}
    changed = [one for one in expected if known.get(one.pass_id) != one.digest]
    gone = known.keys() - {one.pass_id for one in expected}
    if found.version and not changed and not gone:
        return False
    found.version += 1
    _store(session, [_row(settings, found, one) for one in changed])
    _remove(session, found, gone)
    edition = Edition(found.version, now.replace(microsecond=0), _ends(day))
    found.header = roster.sign_header(
        edition,
        found.id.bytes,
        building=building.code,
        day=int(f"{day:%Y%m%d}"),
        records=entries(session, found.id, since=0),
        key=key,
    )
    found.made_at = now
    session.flush()
    return True


def _roster(session: Session, building: Building, day: date, now: datetime) -> Roster:
    found = session.scalar(select(Roster).where(Roster.building_id == building.id, Roster.day == day))
    if found is None:
        found = Roster(building_id=building.id, day=day, version=0, header=b"", made_at=now)
        session.add(found)
        session.flush()
    return found


def _expected(session: Session, building: Building, day: date) -> list[_Expected]:
    starts = datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)
    query = (
        select(
            Pass.id.label("pass_id"),
            Pass.sealed,
            Guest.id.label("guest_id"),
            Guest.name,
            Guest.title,
            Guest.organisation,
            Guest.seat,
            Guest.needs,
            Guest.thumbnail,
            Meeting.title.label("meeting"),
            Meeting.host,
            Room.name.label("room"),
        )
        .join(Guest, Guest.id == Pass.guest_id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .where(
            Room.building_id == building.id,
            Pass.state == PassState.VALID,
            Pass.not_before < starts + timedelta(days=1),
            Pass.not_after > starts,
        )
    )
    rows = session.execute(query).all()
    flags = _flags_of(session, {row.guest_id for row in rows})
    return [
        _Expected(
            row.pass_id,
            row.sealed,
            Record(
                name=row.name[:_LONGEST],
                title=row.title[:_LONGEST],
                organisation=row.organisation[:_LONGEST],
                host=row.host[:_LONGEST],
                meeting=row.meeting[:_LONGEST],
                room=row.room[:_LONGEST],
                seat=row.seat[:_LONGEST],
                needs=row.needs[:_LONGEST],
                flags=flags.get(row.guest_id, RosterFlags.NONE) | (RosterFlags.HELP if row.needs else RosterFlags.NONE),
                portrait=row.thumbnail or b"",
            ),
        )
        for row in rows
    ]


def _flags_of(session: Session, guest_ids: Collection[UUID]) -> dict[UUID, RosterFlags]:
    found: dict[UUID, RosterFlags] = {}
    for source in _flags:
        for guest_id, more in source(session, guest_ids).items():
            found[guest_id] = found.get(guest_id, RosterFlags.NONE) | more
    return found


def _row(settings: Settings, found: Roster, one: _Expected) -> dict[str, object]:
    shown = sealing.open_sealed(settings, one.pass_id, one.pass_sealed)
    secret = pass_claims.decode(cose.parse(digits.decode(shown.digits)).payload).pass_id
    try:
        sealed = roster.seal(one.record, secret, found.id.bytes)
    except ProfileViolation:
        # Very long texts beside a large picture: the words are worth more.
        sealed = roster.seal(replace(one.record, portrait=b""), secret, found.id.bytes)
    return {
        "roster_id": found.id,
        "place": sealed[: roster.INDEX_LENGTH],
        "pass_id": one.pass_id,
        "content_sha256": one.digest,
        "sealed": sealed,
        "changed_in": found.version,
        "removed": False,
    }


def _store(session: Session, rows: Sequence[dict[str, object]]) -> None:
    if not rows:
        return
    made = insert(RosterRecord)
    anew = {name: made.excluded[name] for name in ("content_sha256", "sealed", "changed_in", "removed")}
    session.execute(
        made.on_conflict_do_update(index_elements=[RosterRecord.roster_id, RosterRecord.place], set_=anew), rows
    )


def _remove(session: Session, found: Roster, pass_ids: Collection[UUID]) -> None:
    if not pass_ids:
        return
    session.execute(
        update(RosterRecord)
        .where(RosterRecord.roster_id == found.id, RosterRecord.pass_id.in_(pass_ids))
        .values(removed=True, sealed=b"", content_sha256=b"", changed_in=found.version)
    )


def _ends(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), CITY_ZONE).astimezone(UTC) + AFTER_MIDNIGHT
