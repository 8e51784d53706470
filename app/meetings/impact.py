"""What ending an agency's keys means for its invitations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from app.certificates.impact import Chosen, Consequence, impact_providers
from app.meetings.models import Guest, Pass, PassState


def count(session: Session, chosen: Chosen, *, since: datetime | None, now: datetime) -> Sequence[Consequence]:
    """Count the invitations that the gates will refuse: what the chosen keys signed and what is not over yet."""
    del since
    live, meetings = session.execute(
        select(func.count(), func.count(distinct(Guest.meeting_id)))
        .select_from(Pass)
        .join(Guest, Guest.id == Pass.guest_id)
        .where(
            Pass.signer_certificate_id.in_(chosen),
            Pass.state == PassState.VALID,
            Pass.not_after > now,
        )
    ).one()
    return [
        Consequence(_l("Invitations that the gates will refuse"), live),
        Consequence(_l("Meetings whose guests need new invitations"), meetings),
    ]


def register() -> None:
    """Let revocations ask here; doing it twice changes nothing."""
    if count not in impact_providers:
        impact_providers.append(count)
