"""The page of health in `web`: what the last look from outside found. It reads rows; no key and no network is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Sentence
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from app.status import service
from app.status.findings import Judgement, Kind
from app.status.health_words import in_words
from app.status.models import HealthCheck

bp = Blueprint("health", __name__, url_prefix="/authority/health")

# The worker looks each minute; without news for this long, nobody looks.
SILENT: Final = timedelta(minutes=5)

WORDS: Final[dict[Judgement, Sentence]] = {
    Judgement.FINE: _l("Fine"),
    Judgement.SOON: _l("Ends soon"),
    Judgement.WRONG: _l("Wrong"),
}
KINDS: Final[dict[Kind, Sentence]] = {
    Kind.SERVICE: _l("Status service"),
    Kind.TIMESTAMP: _l("Timestamps and their clock"),
    Kind.UNIT: _l("Certificate of the timestamp unit"),
    Kind.OCSP: _l("Status of one certificate (OCSP)"),
    Kind.RESPONDER: _l("Certificates of the responders"),
    Kind.CERTIFICATE: _l("Certificates of the authorities"),
    Kind.LIST: _l("Revocation lists"),
}


@dataclass(frozen=True)
class Group:
    """The checks of one kind."""

    title: Sentence
    worst: Judgement
    rows: Sequence[HealthCheck]
    # The one that goes stale first.
    first_end: datetime | None


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("Freshness of every list and answer, responders, and the clock, as seen from outside.")
    add_place(app, Place(_l("Health"), "health.index", Permission.READ_HEALTH, purpose, in_header=False))


@bp.get("/")
@needs(Permission.READ_HEALTH)
def index() -> ResponseReturnValue:
    with transaction() as session:
        checks = service.checks(session, current_actor())
    last = max((one.checked_at for one in checks), default=None)
    silent = last is None or datetime.now(UTC) - last > SILENT
    groups = [_group(kind, [one for one in checks if one.kind == kind]) for kind in KINDS]
    return render_template(
        "status/health.html",
        groups=[one for one in groups if one.rows],
        words=WORDS,
        in_words=in_words,
        last=last,
        silent=silent,
    )


def _group(kind: Kind, rows: Sequence[HealthCheck]) -> Group:
    order = list(Judgement)
    worst = max((Judgement(one.state) for one in rows), key=order.index, default=Judgement.FINE)
    ends = min((one.fresh_until for one in rows if one.fresh_until is not None), default=None)
    return Group(KINDS[kind], worst, sorted(rows, key=_natural), ends)


def _natural(check: HealthCheck) -> tuple[int, list[str | int], str]:
    """Sort what is not fine first, then list 2 before list 10."""
    worst_first = -list(Judgement).index(Judgement(check.state))
    parts = [part.zfill(6) if part.isdigit() else part for part in check.target.split("/")]
    return worst_first, list(parts), check.target
