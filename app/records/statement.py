"""What a clerk agrees to with the password: exactly which papers are numbered, dated and sealed, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self
from uuid import UUID

from app.accounts.step_up import canonical
from app.records.kinds import Kind
from pki.pades.placement import Corner

PURPOSE: Final = "issue"
_VERSION: Final = 1


@dataclass(frozen=True)
class Paper:
    """A paper as the clerk saw it."""

    document_id: UUID
    version: int
    sha256: str


@dataclass(frozen=True)
class SealPlace:
    """Where the seal stands in a file that has no place for it: a page (from 1; 0 is the last) and a corner of it."""

    page: int
    corner: Corner


@dataclass(frozen=True)
class Statement:
    """All that `worker` will do; it does this or nothing."""

    agency_id: UUID
    route_id: UUID
    # The main document first.
    papers: tuple[Paper, ...]
    kind: Kind
    # What stands behind the number; the number itself is whichever is next at that moment.
    symbol: str
    issued_on: date
    # Of the seal's certificate.
    seal_sha256: str
    place: SealPlace
    nonce: str
    expires_at: datetime

    def to_json(self) -> str:
        """Return the canonical JSON that the proof's digest is of."""
        return canonical(
            {
                "version": _VERSION,
                "purpose": PURPOSE,
                "agency": str(self.agency_id),
                "route": str(self.route_id),
                "papers": [
                    {"document": str(one.document_id), "version": one.version, "sha256": one.sha256}
                    for one in self.papers
                ],
                "series": {"kind": self.kind.value, "symbol": self.symbol, "year": self.issued_on.year},
                "date": self.issued_on.isoformat(),
                "seal": self.seal_sha256,
                "place": {"page": self.place.page, "corner": self.place.corner.value},
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
            route_id=UUID(facts["route"]),
            papers=tuple(Paper(UUID(one["document"]), one["version"], one["sha256"]) for one in facts["papers"]),
            kind=Kind(facts["series"]["kind"]),
            symbol=facts["series"]["symbol"],
            issued_on=date.fromisoformat(facts["date"]),
            seal_sha256=facts["seal"],
            place=SealPlace(facts["place"]["page"], Corner(facts["place"]["corner"])),
            nonce=facts["nonce"],
            expires_at=datetime.fromisoformat(facts["expires"]),
        )
