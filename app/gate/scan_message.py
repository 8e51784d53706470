"""What a tablet sends about one scan, read into a type before anything looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l

from app.core.errors import Invalid
from pki.passes.decision import Outcome, Reason
from pki.passes.scan_event import Direction

# The longest pass has 315 digits; what else a code may hold is read up to here and called not ours.
LONGEST_TEXT: Final = 2_000


@dataclass(frozen=True)
class ScanMessage:
    """A scan as the tablet saw it: what was read, when, and what the tablet decided by itself."""

    scan_id: UUID
    digits: str
    scanned_at: datetime
    outcome: Outcome
    reason: Reason
    direction: Direction = Direction.IN
    # The tablet's boot; None from devices that hold no leases.
    boot_id: UUID | None = None

    @classmethod
    def parse(cls, body: object) -> ScanMessage:
        """Return the message. Raises Invalid if a part is missing or of another kind."""
        try:
            if not isinstance(body, dict):
                raise TypeError("not an object")
            digits, scanned_at = body["digits"], datetime.fromisoformat(body["scanned_at"])
            if not isinstance(digits, str) or len(digits) > LONGEST_TEXT or scanned_at.tzinfo is None:
                raise ValueError("digits or time")
            return cls(
                UUID(body["scan_id"]),
                digits,
                scanned_at.astimezone(UTC),
                Outcome(body["outcome"]),
                Reason(body["reason"]),
                Direction[str(body.get("direction", "in")).upper()],
                UUID(body["boot_id"]) if body.get("boot_id") is not None else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Invalid(_l("The scan could not be read."), _l("Scan the code again.")) from error
