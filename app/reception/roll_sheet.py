"""What a warden's phone keeps: who is inside, sealed with a key of the warden's shift.

The key comes with a sign-in and ends with the shift; the phone keeps it where no script can read it out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Forbidden, Invalid
from app.core.i18n import local
from app.core.permissions import Actor, Permission
from app.core.settings import Settings
from app.meetings.models import Building
from app.reception import places, presence, roll_call, roll_state, zones
from app.reception.models import Mark, RollMark
from app.reception.roll_call import SentMark
from app.registry.search import fold

_NONCE: Final = 12
SHIFT: Final = timedelta(hours=12)


# The last part of each building, so that many wardens who ask every few seconds are told from memory.
_parts: Final[dict[UUID, tuple[bytes, str]]] = {}


@dataclass(frozen=True)
class Sheet:
    """The sealed sheet, its key, until when the phone may keep both, and what tells a changed sheet from this."""

    sealed: bytes
    key: bytes
    until: datetime
    tag: str

    def to_json(self) -> dict[str, str]:
        return {
            "sealed": base64.b64encode(self.sealed).decode(),
            "key": base64.b64encode(self.key).decode(),
            "until": self.until.isoformat(),
            "tag": self.tag,
        }


def make(
    session: Session, settings: Settings, actor: Actor, *, again: bool, now: datetime, have: str = ""
) -> Sheet | None:
    """Return the sheet of all buildings that the warden keeps; None if it is still the one whose tag is `have`.

    The first fetching (not `again`) is written down.
    """
    if actor.account_id is None:
        raise Forbidden(_l("A roll is called by a person with an account."))
    until = _end_of_shift(now)
    key = _key(settings, actor.account_id, until)
    buildings = places.listed(session, actor, Permission.CALL_ROLL)
    tags = {one.id: roll_state.tag(session, one.id) for one in buildings}
    named = {one.id: _zones(session, one) for one in buildings}
    tag = hashlib.sha256(b"".join(tags.values()) + "".join(named.values()).encode() + key).hexdigest()
    if again and tag == have:
        return None
    parts = [_part(session, one, tags[one.id], named[one.id]) for one in buildings]
    content = f'{{"madeAt": {json.dumps(now.isoformat())}, "buildings": [{", ".join(parts)}]}}'
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + AESGCM(key).encrypt(nonce, content.encode(), None)
    if not again:
        for one in buildings:
            audit.record(
                session,
                actor,
                "presence_viewed",
                object_kind="building",
                object_id=one.id,
                agency_id=one.keeper_id,
                for_roll=True,
            )
    return Sheet(sealed, key, until, tag)


def read_marks(body: object) -> list[SentMark]:
    """Return the marks that a phone sent. Raises Invalid for anything else."""
    marks = body.get("marks") if isinstance(body, dict) else None
    if not isinstance(marks, list):
        raise Invalid(_l("The marks could not be read."))
    try:
        return [_read(one) for one in marks]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(_l("The marks could not be read.")) from error


def _read(one: dict[str, str]) -> SentMark:
    at = datetime.fromisoformat(one["at"])
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return SentMark(UUID(one["id"]), UUID(one["buildingId"]), UUID(one["personId"]), Mark(one["mark"]), at)


def _zones(session: Session, building: Building) -> str:
    named = zones.names(session, building.id)
    return json.dumps([{"number": number, "name": name} for number, name in named.items()])


def _part(session: Session, building: Building, tag: bytes, named: str) -> str:
    """Return a building as JSON: from memory as long as its tag stays, with the zones in the reader's language."""
    kept = _parts.get(building.id)
    if kept is None or kept[0] != tag:
        kept = (tag, json.dumps(_building(session, building)))
        _parts[building.id] = kept
    return f'{{"zones": {named}, {kept[1][1:]}'


def _building(session: Session, building: Building) -> dict[str, object]:
    roll = roll_call.running(session, building.id)
    people = [
        {
            "id": str(one.person_id),
            "name": one.name,
            "find": fold(f"{one.name} {one.organisation}"),
            "zone": one.zone,
            "place": one.place,
            "host": one.host,
        }
        for one in presence.inside(session, building.id)
    ]
    marks: list[RollMark] = []
    if roll is not None:
        here = {one["id"] for one in people}
        # Somebody who has gone out since is still on the roll.
        people += [
            {"id": str(gone), "name": name, "find": fold(name), "zone": zone, "place": "", "host": ""}
            for gone, name, zone in roll_call.people(session, roll)
            if str(gone) not in here
        ]
        marks = [all_[-1] for all_ in roll_call.marks_of(session, roll.id).values()]
    return {
        "id": str(building.id),
        "name": building.name,
        "startedAt": roll.started_at.isoformat() if roll else None,
        "people": people,
        "marks": [
            {
                "id": str(one.id),
                "buildingId": str(building.id),
                "personId": str(one.person_id),
                "mark": one.mark,
                "at": one.marked_at.astimezone(UTC).isoformat(),
            }
            for one in marks
        ],
    }


def _end_of_shift(now: datetime) -> datetime:
    """Shifts end at six in the morning and at six in the evening."""
    half = local(now).replace(hour=6, minute=0, second=0, microsecond=0)
    while half <= now:
        half += SHIFT
    return half


def _key(settings: Settings, account_id: UUID, until: datetime) -> bytes:
    info = b"kyvao roll sheet v1" + account_id.bytes + str(int(until.timestamp())).encode()
    return HKDF(SHA256(), 32, None, info).derive(settings.secret_key.encode())
