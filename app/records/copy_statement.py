"""What a clerk agrees to with the password when a certified copy is sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self
from uuid import UUID

from app.accounts.step_up import canonical
from app.records.kinds import CopyForm

PURPOSE: Final = "copy"
_VERSION: Final = 1


@dataclass(frozen=True)
class CopyStatement:
    """All that `worker` will do; it does this or nothing."""

    agency_id: UUID
    copy_id: UUID
    form: CopyForm
    # Of an extract, else None.
    pages: str | None
    # Of the file that is copied.
    original_sha256: str
    issued_on: date
    # Of the seal's certificate.
    seal_sha256: str
    nonce: str
    expires_at: datetime

    def to_json(self) -> str:
        """Return the canonical JSON that the proof's digest is of."""
        return canonical(
            {
                "version": _VERSION,
                "purpose": PURPOSE,
                "agency": str(self.agency_id),
                "copy": str(self.copy_id),
                "form": self.form.value,
                "pages": self.pages,
                "original": self.original_sha256,
                "date": self.issued_on.isoformat(),
                "seal": self.seal_sha256,
                "nonce": self.nonce,
                "expires": self.expires_at.isoformat(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote and the proof's digest vouches for."""
        facts: dict[str, Any] = json.loads(text)
        return cls(
            agency_id=UUID(facts["agency"]),
            copy_id=UUID(facts["copy"]),
            form=CopyForm(facts["form"]),
            pages=facts["pages"],
            original_sha256=facts["original"],
            issued_on=date.fromisoformat(facts["date"]),
            seal_sha256=facts["seal"],
            nonce=facts["nonce"],
            expires_at=datetime.fromisoformat(facts["expires"]),
        )
