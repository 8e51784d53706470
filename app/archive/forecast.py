"""Will a stored document still verify on a day? Asked in the limited process, with the city's roots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.archive import augment_job
from app.certificates import service as certificates
from app.documents import sandbox
from pki.pades.simulate import Weakness


@dataclass(frozen=True)
class Answer:
    holds: bool
    # The first moment at which it does not verify; None where it never does.
    fails_from: datetime | None
    why: Weakness | None


def ask(session: Session, pdf: Path, *, now: datetime, at: datetime) -> Answer:
    """Say whether a file will verify at `at` if nothing is added to it. Raises PdfRefused."""
    roots, intermediates = certificates.trust_material(session)
    wish = {
        "roots": augment_job.encoded(roots),
        "intermediates": augment_job.encoded(intermediates),
        "crls": augment_job.encoded(certificates.status_evidence(session, [])),
        "now": now.isoformat(),
        "at": at.isoformat(),
    }
    facts, output = sandbox.run(augment_job.forecast, wish, pdf)
    output.close()
    fails_from = datetime.fromisoformat(facts["fails_from"]) if facts["fails_from"] else None
    return Answer(bool(facts["holds"]), fails_from, Weakness(facts["why"]) if facts["why"] else None)
