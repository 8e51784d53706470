"""Which gate of a building stands in an invitation: guests are spread over those that can decide by themselves."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.gate.models import Checkpoint, Device
from app.meetings.entrances import Entrance


def choose(session: Session, building_id: UUID, guest_id: UUID) -> Entrance | None:
    """Return the entrance for a guest, the same at every call as long as the gates stay; None if no tablet keeps a log.

    Each guest ranks the gates by a digest (rendezvous hashing): a further gate takes its share and moves nobody else.
    """
    in_use = select(Device.id).where(
        Device.checkpoint_id == Checkpoint.id, Device.public_key.is_not(None), Device.revoked_at.is_(None)
    )
    query = select(Checkpoint).where(Checkpoint.building_id == building_id, Checkpoint.zone == 0, in_use.exists())
    gates = session.scalars(query).unique().all()
    if not gates:
        return None
    chosen = min(gates, key=lambda gate: hashlib.sha256(gate.id.bytes + guest_id.bytes).digest())
    return Entrance(chosen.id, chosen.name)
