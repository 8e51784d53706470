"""The zones of a building: numbers that passes and gates know, and names that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.gate.models import Checkpoint
from app.reception.models import Zone

# As many as a pass has bits for (pki/passes/claims.py).
MOST: Final = 32


def names(session: Session, building_id: UUID) -> Mapping[int, str]:
    """Return the name of every zone that has one or has a gate, the entrance first, in the reader's language."""
    named = select(Zone.number, Zone.name).where(Zone.building_id == building_id)
    known = dict(session.execute(named).all())
    used = session.scalars(select(Checkpoint.zone).where(Checkpoint.building_id == building_id))
    return {
        number: known.get(number) or (_("Entrance") if number == 0 else _("Zone %(number)s", number=number))
        for number in sorted({0, *known, *used})
    }
