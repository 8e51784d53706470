"""What the running application holds: its settings and its file storage, for views."""

from __future__ import annotations

from typing import cast

from flask import current_app

from app.core.settings import Settings
from app.core.storage import Storage


def settings() -> Settings:
    return cast(Settings, current_app.extensions["kyvao_settings"])


def storage() -> Storage:
    return cast(Storage, current_app.extensions["kyvao_storage"])
