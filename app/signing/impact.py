"""What ending a certificate means for signatures: papers that stay proven, papers to sign again, signings cut off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, distinct, false, func, select
from sqlalchemy.orm import Session

from app.certificates.impact import Chosen, Consequence, impact_providers
from app.documents.models import DocumentVersion
from app.signing.models import SessionState, SigningSession


def count(session: Session, chosen: Chosen, *, since: datetime | None, now: datetime) -> Sequence[Consequence]:
    """Count documents signed with the chosen certificates, before and from `since`, and signings under way.

    Every signature of the house carries a timestamp, so what was signed before the key was lost stays provable.
    """
    late: ColumnElement[bool] = DocumentVersion.made_at >= since if since is not None else false()
    documents = distinct(SigningSession.document_id)
    proven, lost = session.execute(
        select(func.count(documents).filter(~late), func.count(documents).filter(late))
        .select_from(SigningSession)
        .join(DocumentVersion, DocumentVersion.id == SigningSession.version_id)
        .where(SigningSession.certificate_id.in_(chosen), SigningSession.state == SessionState.COMPLETED)
    ).one()
    under_way = session.scalar(
        select(func.count()).where(
            SigningSession.certificate_id.in_(chosen),
            SigningSession.state == SessionState.OPEN,
            SigningSession.expires_at > now,
        )
    )
    return [
        Consequence(_l("Documents that stay provable by their timestamp"), proven),
        Consequence(_l("Documents signed after the key was lost, which must be signed again"), lost),
        Consequence(_l("Signings under way that are broken off"), under_way or 0),
    ]


def register() -> None:
    """Let revocations ask here; doing it twice changes nothing."""
    if count not in impact_providers:
        impact_providers.append(count)
