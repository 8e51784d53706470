"""The `web` process: granian serves `application`."""

from __future__ import annotations

import os

from app import create_app
from app.core import db
from app.core.logs import configure_logs
from app.core.settings import load

configure_logs("web")
_settings = load(os.environ)
db.configure(_settings.database_url or "")
application = create_app(_settings)
