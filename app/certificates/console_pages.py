"""The console of the authority: what waits, numbers, and charts with the same figures as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Flask, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.certificates import console, words
from app.certificates.console import Figures
from app.core.db import transaction
from app.core.navigation import Place, add_place, directory, places_for
from app.core.permissions import Actor, Permission, current_actor, needs

bp = Blueprint("authority_console", __name__, url_prefix="/authority")

# Places of the house that belong to running the authority, by the beginning of their endpoint, in this order.
_NEAR: Final = (
    "certificates_register.",
    "certificates_admin.",
    "campaigns.",
    "certificates_bulk.",
    "approvals.",
    "alarms.",
    "health.",
    "authorities.",
    "profiles.",
    "log.",
)


@dataclass(frozen=True)
class Chart:
    """A chart and its table: `columns` stand side by side in time, otherwise bars lie one above the other."""

    id: str
    title: str
    columns: bool
    tone: str
    heads: tuple[str, str]
    labels: Sequence[str]
    values: Sequence[int]

    def data(self) -> dict[str, object]:
        """Return what the script draws."""
        return asdict(self)

    def rows(self) -> list[tuple[str, int]]:
        """Return the same figures for the table, the newest day first."""
        rows = list(zip(self.labels, self.values, strict=True))
        return rows[::-1] if self.columns else rows


@bp.get("")
@needs(Permission.FIND_CERTIFICATES)
def index() -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        figures = console.figures(session, actor, now=now)
        waiting = [item for provider in directory(current_app).waiting for item in provider(session, actor)]
    return render_template(
        "certificates/console.html",
        figures=figures,
        charts=_charts(figures),
        waiting=[item for item in waiting if item.count],
        places=_near(actor),
        days=console.DAYS,
    )


def init(app: Flask) -> None:
    """Register the pages and their place."""
    app.register_blueprint(bp)
    purpose = _l("What waits, how many certificates there are, what was issued and revoked.")
    add_place(app, Place(_l("Authority"), "authority_console.index", Permission.FIND_CERTIFICATES, purpose))


def _near(actor: Actor) -> list[Place]:
    """Return the other places about the authority that the actor may enter."""
    places = [place for place in places_for(current_app, actor) if place.endpoint.startswith(_NEAR)]
    return sorted(places, key=lambda place: next(n for n, near in enumerate(_NEAR) if place.endpoint.startswith(near)))


def _charts(figures: Figures) -> list[Chart]:
    days = [format_date(moved.day, "dd/MM") for moved in figures.per_day]
    agencies = [(share.name, share.count) for share in figures.agencies]
    if figures.others:
        agencies.append((_("All other agencies"), figures.others))
    uses = [(str(words.PROFILES.get(share.name, share.name)), share.count) for share in figures.profiles]
    day, agency, count = _("Day"), _("Agency"), _("Certificates")
    issued, revoked = [one.issued for one in figures.per_day], [one.revoked for one in figures.per_day]
    return [
        Chart("issued", _("Issued per day"), True, "action", (day, count), days, issued),
        Chart("revoked", _("Revoked per day"), True, "danger", (day, count), days, revoked),
        _bars("agencies", _("In force and suspended, by agency"), agency, count, agencies),
        _bars("uses", _("In force and suspended, by use"), _("Use"), count, uses),
    ]


def _bars(name: str, title: str, head: str, count: str, rows: Sequence[tuple[str, int]]) -> Chart:
    return Chart(name, title, False, "action", (head, count), [row[0] for row in rows], [row[1] for row in rows])
