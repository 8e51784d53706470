"""One value that changes whenever a building's sheet for wardens would: asked for every few seconds by every phone."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from app.gate.models import Admission, Checkpoint, Scan
from app.reception.models import RollCall, RollMark, VisitState, WalkIn


def tag(session: Session, building_id: UUID) -> bytes:
    """Return the digest of who is inside (as a set), the last scan (zones), and the marks of the roll; 32 bytes."""
    gates = select(Checkpoint.id).where(Checkpoint.building_id == building_id)
    guests = select(func.count(), func.sum(func.hashtext(cast(Admission.pass_id, Text)))).where(
        Admission.checkpoint_id.in_(gates), Admission.left_at.is_(None)
    )
    visitors = select(func.count(), func.sum(func.hashtext(cast(WalkIn.id, Text)))).where(
        WalkIn.building_id == building_id, WalkIn.state == VisitState.INSIDE
    )
    last = select(func.max(Scan.received_at)).where(Scan.checkpoint_id.in_(gates))
    roll = select(RollCall.id, func.count(RollMark.id)).outerjoin(RollMark, RollMark.roll_call_id == RollCall.id)
    running = roll.where(RollCall.building_id == building_id, RollCall.ended_at.is_(None)).group_by(RollCall.id)
    facts = [tuple(session.execute(query).first() or ()) for query in (guests, visitors, last, running)]
    return hashlib.sha256(repr((building_id, facts)).encode()).digest()
