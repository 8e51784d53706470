from __future__ import annotations

import os

import pytest

from app.core.settings import Settings
from tests.factories.certificates import create_city


@pytest.fixture
def city(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The demonstration city; jobs and processes started by the test see its settings."""
    for name, value in (("KYVAO_DATA", str(settings.data_dir)), ("KYVAO_DATABASE_URL", settings.database_url or "")):
        monkeypatch.setitem(os.environ, name, value)
    create_city(settings)
    return settings
