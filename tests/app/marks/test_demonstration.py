"""The demonstration's pictures go the same way as anybody's, once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select

from app.core import db
from app.core.settings import Settings
from app.demo import pictures
from app.marks import service
from app.marks.models import MarkPicture
from tests.factories import routes
from tests.factories.certificates import actor


def test_every_official_has_a_signature_and_the_clerks_agency_a_seal_and_twice_adds_none(city: Settings) -> None:
    for _ in range(2):
        with db.transaction() as session:
            pictures.create(session, now=datetime.now(UTC))
    head, drafter = actor("hanh").person_id, actor("minh").person_id
    assert head is not None
    assert drafter is not None
    with db.transaction() as session:
        first, second = service.signature_picture(session, head), service.signature_picture(session, drafter)
        assert first is not None
        assert second is not None
        assert first != second
        assert service.seal_diameter(session, routes.agency_of("H99.02")) == pictures.SEAL_MM
        owners = select(func.count()).select_from(MarkPicture)
        assert session.scalar(owners) == session.scalar(
            select(func.count(func.distinct(func.coalesce(MarkPicture.person_id, MarkPicture.agency_id))))
        )
