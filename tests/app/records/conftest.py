"""A city whose timestamp service really listens, a head with a key, and a clerk with a password."""

from __future__ import annotations

import pytest

from app.core.settings import Settings
from pki.keys import SoftwareKey
from tests.app.signing.conftest import city, settings, status_server
from tests.factories import records

__all__ = ["city", "settings", "status_server"]


@pytest.fixture
def head(city: Settings, monkeypatch: pytest.MonkeyPatch) -> SoftwareKey:
    """The key of the head; the clerk has a password, and the job finds the timestamp service."""
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", city.status_internal_url)
    records.give_password("thu")
    return records.head_key()
