"""The encrypted roster of a building and day, as tablets fetch it: whole the first time, then what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import cbor2
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.i18n import CITY_ZONE
from app.gate.models_roster import Roster, RosterRecord
from pki.passes import roster

# A meeting may run into the night; the roster of its day ends with it.
AFTER_MIDNIGHT: Final = timedelta(hours=3)


@dataclass(frozen=True)
class Update:
    """What brings a tablet from one version to the newest."""

    roster_id: UUID
    header: bytes
    # The version that it goes out from; 0 is the whole roster.
    since: int
    # Places of records that went.
    removed: Sequence[bytes]
    # Records that came or changed, by place.
    entries: Mapping[bytes, bytes]

    @property
    def is_empty(self) -> bool:
        return self.since > 0 and not self.removed and not self.entries

    def encode(self) -> bytes:
        """Return CBOR [header, since, places in a row, records in a row]; passes/roster.ts takes it in."""
        return cbor2.dumps([self.header, self.since, b"".join(self.removed), roster.join(self.entries)])


def update_since(
    session: Session, building_id: UUID, day: date, *, roster_id: UUID | None, version: int
) -> Update | None:
    """Return what a tablet lacks that has `version` of the roster `roster_id`; None if there is no roster yet."""
    found = session.scalar(
        select(Roster).where(Roster.building_id == building_id, Roster.day == day, Roster.version > 0)
    )
    if found is None:
        return None
    since = version if roster_id == found.id and 0 < version <= found.version else 0
    removed: Sequence[bytes] = ()
    if since:
        gone = select(RosterRecord.place).where(
            RosterRecord.roster_id == found.id, RosterRecord.removed, RosterRecord.changed_in > since
        )
        removed = session.scalars(gone).all()
    return Update(found.id, found.header, since, removed, entries(session, found.id, since=since))


def entries(session: Session, roster_id: UUID, *, since: int) -> dict[bytes, bytes]:
    """Return the records that came or changed after a version, by place."""
    query = select(RosterRecord.place, RosterRecord.sealed).where(
        RosterRecord.roster_id == roster_id, ~RosterRecord.removed, RosterRecord.changed_in > since
    )
    return {row.place: row.sealed for row in session.execute(query)}


def forget_past(session: Session, *, now: datetime) -> int:
    """Remove the rosters whose day has ended and return how many; doing it again removes none."""
    day = (now - AFTER_MIDNIGHT).astimezone(CITY_ZONE).date()
    return len(session.scalars(delete(Roster).where(Roster.day < day).returning(Roster.id)).all())
