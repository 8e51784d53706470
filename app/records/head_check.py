"""Before a seal is used: does the file itself carry the valid signature of everybody who had to sign it?

What the route says is not enough. The file is opened in the limited process and judged with our own roots and lists.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
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
from app.routes.models import Duty, Route
from pki.errors import PdfRefused
from pki.pades.report import Verdict
from pki.profiles import ProfileName


def heads_of(route: Route, document_id: UUID) -> frozenset[UUID]:
    """Return who signed the paper as its head, as the route has it."""
    return frozenset(act.person_id for act in route.acts if act.document_id == document_id and act.duty == Duty.SIGN)


def carries_heads_signatures(
    session: Session, storage: Storage, version: DocumentVersion, heads: Collection[UUID], *, now: datetime
) -> bool:
    """Say whether the file holds a valid signature of each of the people, and nothing that is not valid.

    False for nobody, and for a file that cannot be read.
    """
    if not heads:
        return False
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
        return False
    output.close()
    valid = [sha256 for sha256, verdict in found["signatures"] if verdict == Verdict.VALID]
    signers = session.scalars(select(Certificate.person_id).where(Certificate.sha256.in_(valid)))
    return found["verdict"] != Verdict.NOT_VALID and set(heads) <= set(signers)


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
