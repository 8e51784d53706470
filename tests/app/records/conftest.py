"""A city whose timestamp service really listens, a head with a key, and a clerk with a password."""

from __future__ import annotations

from wsgiref.simple_server import WSGIServer

import pytest

from app.core.settings import Settings
from app.status.server import StatusServer
from pki.keys import SoftwareKey
from tests.app.certificates.conftest import city
from tests.app.signing.conftest import settings, status_server
from tests.factories import records

__all__ = ["city", "settings", "status_server"]


@pytest.fixture
def head(city: Settings, status_server: WSGIServer, monkeypatch: pytest.MonkeyPatch) -> SoftwareKey:
    """The key of the head; the clerk has a password, and the job finds the timestamp service."""
    status = status_server.get_app()
    assert isinstance(status, StatusServer)
    # The city is younger than the server: it looks for its certificate now, not half a second later.
    status.guard.look()
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", city.status_internal_url)
    records.give_password("thu")
    return records.head_key()
