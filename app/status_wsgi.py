"""The `status` process: granian serves `application`. It alone can load the OCSP and timestamp keys."""

from __future__ import annotations

import os

from app.core import db
from app.core.logs import configure_logs
from app.core.settings import load
from app.status.server import StatusServer
from app.status.views import build

configure_logs("status")
_settings = load(os.environ)
db.configure(_settings.database_url or "")
application = StatusServer(_settings, build(_settings))
application.load()
