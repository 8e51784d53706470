"""What a warden's phone keeps: who is inside, sealed with a key of the warden's shift.

The key comes with a sign-in and ends with the shift; the phone keeps it where no script can read it out.
"""

from __future__ import annotations

import base64
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
from app.reception import places, presence, roll_call, zones
from app.reception.models import Mark, RollMark
from app.reception.roll_call import SentMark
from app.registry.search import fold

_NONCE: Final = 12
SHIFT: Final = timedelta(hours=12)


@dataclass(frozen=True)
class Sheet:
    """The sealed sheet, its key, and until when the phone may keep both."""

    sealed: bytes
    key: bytes
    until: datetime

    def to_json(self) -> dict[str, str]:
        return {
            "sealed": base64.b64encode(self.sealed).decode(),
            "key": base64.b64encode(self.key).decode(),
            "until": self.until.isoformat(),
        }


def make(session: Session, settings: Settings, actor: Actor, *, again: bool, now: datetime) -> Sheet:
    """Return the sheet of all buildings that the warden keeps. The first fetching (not `again`) is written down."""
    if actor.account_id is None:
        raise Forbidden(_l("A roll is called by a person with an account."))
    until = _end_of_shift(now)
    key = _key(settings, actor.account_id, until)
    buildings = places.listed(session, actor, Permission.CALL_ROLL)
    content = {"madeAt": now.isoformat(), "buildings": [_building(session, one) for one in buildings]}
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(content).encode(), None)
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
    return Sheet(sealed, key, until)


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


def _building(session: Session, building: Building) -> dict[str, object]:
    roll = roll_call.running(session, building.id)
    people = {
        str(one.person_id): {
            "id": str(one.person_id),
            "name": one.name,
            "find": fold(f"{one.name} {one.organisation}"),
            "zone": one.zone,
            "place": one.place,
            "host": one.host,
        }
        for one in presence.inside(session, building.id)
    }
    marks: list[RollMark] = []
    if roll is not None:
        for line in roll_call.lines(session, roll):
            # Somebody who has gone out since is still on the roll.
            people.setdefault(
                str(line.person_id),
                {
                    "id": str(line.person_id),
                    "name": line.name,
                    "find": fold(line.name),
                    "zone": line.zone,
                    "place": "",
                    "host": "",
                },
            )
        marks = [all_[-1] for all_ in roll_call.marks_of(session, roll.id).values()]
    return {
        "id": str(building.id),
        "name": building.name,
        "startedAt": roll.started_at.isoformat() if roll else None,
        "zones": [{"number": number, "name": name} for number, name in zones.names(session, building.id).items()],
        "people": list(people.values()),
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
