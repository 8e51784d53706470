"""The `web` process: granian serves `application`."""

from __future__ import annotations

import gc
import os

from app import create_app
from app.core import db
from app.core.logs import configure_logs
from app.core.settings import load
from app.documents import sandbox
from app.gate.admissions_wsgi import GateServer

configure_logs("web")
_settings = load(os.environ)
db.configure(_settings.database_url or "")
# Scans are answered in front of the pages: a gate in the morning asks more often than everybody else together.
application = GateServer(_settings, create_app(_settings))
sandbox.stand_by()
# What is loaded by now stays: looking through it for cycles again and again costs a tenth of every request.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
