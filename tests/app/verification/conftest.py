"""A city with a listening timestamp service, and a paper signed in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.core.settings import Settings
from tests.app.signing.conftest import Signer, city, minh, settings, status_server
from tests.factories.documents import signed, uploaded

__all__ = ["city", "minh", "settings", "status_server"]


@pytest.fixture(autouse=True)
def tasks_find_the_timestamps(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Jobs read their settings from the environment."""
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", settings.status_internal_url)


@pytest.fixture
def signed_pdf(sign_in: Callable[[str], FlaskClient], minh: Signer) -> bytes:
    client = sign_in("minh")
    return signed(client, uploaded(client), minh.certificate, minh.key)
