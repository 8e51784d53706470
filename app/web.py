"""Putting the `web` process together from its capabilities."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from flask import Flask

from app.accounts.session_cookie import init_accounts
from app.core.assets import init_assets
from app.core.i18n import init_i18n
from app.core.logs import init_request_log
from app.core.navigation import init_navigation
from app.core.permissions import check_guards
from app.core.problems import init_problems
from app.core.security import init_security
from app.core.settings import Settings
from app.core.storage import Storage

# Each has a `views.py` with `init(app)`, which registers its blueprints and its places in the navigation.
CAPABILITIES: Final = (
    "home",
    "accounts",
    "interface",
    "approvals",
    "certificates",
    "campaigns",
    "documents",
    "archive",
    "claims",
    "routes",
    "seals",
    "marks",
    "records",
    "signing",
    "trust",
    "verification",
    "citizen_forms",
    "gate",
    "reception",
    "visits",
    "meetings",
    "alarms",
    "status",
    "notices",
)


def build(settings: Settings) -> Flask:
    """Return the application with every route guarded. Raises UnguardedRoute otherwise."""
    app = Flask("app", static_folder="static", template_folder="templates")
    app.debug = settings.debug
    app.extensions["kyvao_settings"] = settings
    app.extensions["kyvao_storage"] = Storage(settings.data_dir / "objects")
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    init_request_log(app)
    init_security(app, settings)
    init_accounts(app)
    init_i18n(app)
    init_assets(app)
    init_navigation(app, settings)
    init_problems(app)
    names = (*CAPABILITIES, "demo") if settings.demonstration else CAPABILITIES
    for name in names:
        import_module(f"app.{name}.views").init(app)
    check_guards(app)
    return app
