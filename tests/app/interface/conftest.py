from __future__ import annotations

import pytest

from app.core.settings import Settings
from tests.factories.certificates import create_city


@pytest.fixture
def city(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    monkeypatch.setenv("KYVAO_DATABASE_URL", database)
    create_city(settings)
    return settings
