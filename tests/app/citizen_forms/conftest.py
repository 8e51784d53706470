"""A city whose timestamp service listens, a citizen with a certificate, and the form of a ward."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from app.citizen_forms.models import CitizenForm
from app.core import db
from app.core.settings import Settings
from pki.keys import Curve, SoftwareKey
from tests.app.signing.conftest import Signer, city, settings, status_server
from tests.factories.certificates import issued_to

__all__ = ["city", "settings", "status_server"]


@pytest.fixture
def lan(city: Settings) -> Signer:
    del city
    key = SoftwareKey.generate(Curve.P256)
    return Signer("lan", key, issued_to("lan", key))


@pytest.fixture
def form_id(city: Settings) -> UUID:
    del city
    with db.transaction() as session:
        return session.scalars(select(CitizenForm.id)).one()
