"""The page of `status` for people: authorities, their fingerprints, and what can be fetched."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import LoginManager

from app.core.assets import init_assets
from app.core.db import transaction
from app.core.errors import Sentence
from app.core.i18n import init_i18n
from app.core.logs import init_request_log
from app.core.navigation import init_navigation
from app.core.permissions import check_guards, public
from app.core.problems import init_problems
from app.core.running import settings
from app.core.security import init_security
from app.core.settings import Settings
from app.status import health_pages, published

bp = Blueprint("status", __name__)

PURPOSES: dict[str, Sentence] = {
    "root": _l("The root: everything else is trusted because of it"),
    "issuing_citizens": _l("Issues certificates to citizens"),
    "issuing_officials": _l("Issues certificates to officials"),
    "issuing_seals": _l("Issues certificates for the seals of agencies"),
    "issuing_services": _l("Issues certificates for the gates and other services"),
    "tsa_authority": _l("Issues the certificate of the timestamp service"),
}


@bp.get("/")
@public("certificates and revocation lists are for everyone who checks a signature")
def index() -> ResponseReturnValue:
    with transaction() as session:
        authorities = published.overview(session)
    return render_template(
        "status/index.html", authorities=authorities, purposes=PURPOSES, own_url=settings().status_url
    )


@bp.get("/identifiers")
@public("certificates name this address as the one that gives out their identifiers (EN 319 412-1, 5.1)")
def identifiers() -> ResponseReturnValue:
    return render_template("status/identifiers.html")


def build(configured: Settings) -> Flask:
    """Return the application behind the bare one: this page, and errors in the look of the house."""
    app = Flask("app", static_folder="static", template_folder="templates")
    app.extensions["kyvao_settings"] = configured
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    init_request_log(app)
    init_security(app, configured)
    # Nobody signs in here; the shared frame only asks whether somebody is.
    LoginManager(app).user_loader(lambda _identifier: None)
    init_i18n(app)
    init_assets(app)
    init_navigation(app, configured)
    init_problems(app)
    app.register_blueprint(bp)
    check_guards(app)
    return app


def init(app: Flask) -> None:
    """Register the pages about `status` in `web`."""
    health_pages.init(app)
