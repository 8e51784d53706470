"""What ending an agency's key touches: the invitations that gates will refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.certificates.models import Certificate
from app.core import db
from app.core.settings import Settings
from app.meetings import impact
from tests.factories.meetings import invited, passes_of


def test_invitations_count_until_their_meeting_is_over(city: Settings) -> None:
    _, guest_id = invited(city)
    (one,) = passes_of(guest_id)
    chosen = select(Certificate.id).where(Certificate.id == one.signer_certificate_id)
    others = select(Certificate.id).where(Certificate.id != one.signer_certificate_id)
    with db.transaction() as session:
        now, over = datetime.now(UTC), one.not_after + timedelta(seconds=1)
        counts = [
            [found.count for found in impact.count(session, which, since=None, now=when)]
            for which, when in ((chosen, now), (others, now), (chosen, over))
        ]
    assert counts == [[1, 1], [0, 0], [0, 0]]
