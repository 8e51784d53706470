"""Before a seal is used: does the file itself carry the valid signature of everybody who had to sign it?

What the route says is not enough. The file is opened in the limited process and judged with our own roots and lists.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.certificates import register
from app.certificates.models import Authority, Certificate
from app.core.storage import Storage
from app.documents import sandbox
from app.documents.models import DocumentVersion
from app.records import head_check_job
from app.records.kinds import is_symbol
from app.routes.models import Duty, Route
from pki.errors import PdfRefused
from pki.pades.report import Verdict
from pki.profiles import ProfileName


@dataclass(frozen=True)
class Seen:
    """What a paper was found to carry."""

    # The valid signature of everybody who had to sign it.
    is_signed: bool
    # Printed behind the blank of its number.
    symbol: str | None


def heads_of(route: Route, document_id: UUID) -> frozenset[UUID]:
    """Return who signed the paper as its head, as the route has it."""
    return frozenset(act.person_id for act in route.acts if act.document_id == document_id and act.duty == Duty.SIGN)


def look(
    session: Session, storage: Storage, version: DocumentVersion, heads: Collection[UUID], *, now: datetime
) -> Seen:
    """Return whether the file holds a valid signature of each of the people, and nothing that is not valid.

    It does not for nobody, and not if it cannot be read.
    """
    roots, intermediates = register.trust_material(session)
    facts = {
        "roots": _encoded(roots),
        "intermediates": _encoded(intermediates),
        "crls": _encoded(register.newest_crls(session, _lists(session, heads))),
        "now": now.isoformat(),
    }
    try:
        found, output = sandbox.run(head_check_job.check, facts, storage.path_of(version.sha256))
    except (PdfRefused, FileNotFoundError):
        return Seen(is_signed=False, symbol=None)
    output.close()
    valid = [sha256 for sha256, verdict in found["signatures"] if verdict == Verdict.VALID]
    signers = session.scalars(select(Certificate.person_id).where(Certificate.sha256.in_(valid)))
    complete = bool(heads) and set(heads) <= set(signers)
    symbol = found["symbol"] if isinstance(found["symbol"], str) and is_symbol(found["symbol"]) else None
    return Seen(complete and found["verdict"] != Verdict.NOT_VALID, symbol)


def _lists(session: Session, people: Collection[UUID]) -> Sequence[tuple[str, int]]:
    """Return authority and shard of the lists on which certificates of these people and timestamp units stand."""
    query = (
        select(Authority.name, Certificate.shard)
        .join(Certificate, Certificate.authority_id == Authority.id)
        .where(or_(Certificate.person_id.in_(people), Certificate.profile == ProfileName.TSA_UNIT))
        .distinct()
    )
    return [(name, shard) for name, shard in session.execute(query)]


def _encoded(many: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in many]
