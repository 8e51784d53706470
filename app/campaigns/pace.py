"""How many people a campaign has done in each stretch of time, for its chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns.models import Batch, BatchState
from app.core.i18n import local

# Stretches from the shortest to the longest, with how each is written.
_STRETCHES: Final = (
    (timedelta(seconds=1), "%H:%M:%S"),
    (timedelta(seconds=10), "%H:%M:%S"),
    (timedelta(minutes=1), "%H:%M"),
    (timedelta(minutes=10), "%d/%m %H:%M"),
    (timedelta(hours=1), "%d/%m %H:%M"),
    (timedelta(days=1), "%d/%m"),
)
_MOST_COLUMNS: Final = 60


@dataclass(frozen=True)
class Pace:
    """Columns of a chart: when each stretch began, and how many people were done in it."""

    labels: Sequence[str]
    values: Sequence[int]

    def data(self) -> dict[str, object]:
        """Return what the script draws."""
        return {"labels": list(self.labels), "values": list(self.values), "columns": True, "tone": "action"}


def pace_of(session: Session, campaign_id: UUID) -> Pace | None:
    """Return the pace from the first batch to the last, in at most sixty stretches; None before there is one."""
    done = session.execute(
        select(Batch.done_at, func.cardinality(Batch.numbers)).where(
            Batch.campaign_id == campaign_id, Batch.state == BatchState.DONE, Batch.done_at.is_not(None)
        )
    )
    batches = [(local(at), count) for at, count in done if at is not None]
    if not batches:
        return None
    first, last = min(batches)[0], max(batches)[0]
    stretch, style = next((one for one in _STRETCHES if (last - first) / one[0] < _MOST_COLUMNS - 1), _STRETCHES[-1])
    begin = first.replace(hour=0, minute=0, second=0, microsecond=0)
    begin += (first - begin) // stretch * stretch
    counts = [0] * ((last - begin) // stretch + 1)
    for at, count in batches:
        counts[(at - begin) // stretch] += count
    kept = counts[-_MOST_COLUMNS:]
    starts: list[datetime] = [begin + stretch * number for number in range(len(counts))][-_MOST_COLUMNS:]
    return Pace([start.strftime(style) for start in starts], kept)
