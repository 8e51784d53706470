"""The page of a paper for somebody outside the city: no account, only the secret in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import NotFound, TooMany
from app.core.permissions import public
from app.core.throttle import may_pass
from app.routes import dispatch, paper_files
from app.routes.holding import NO_PAPER

bp = Blueprint("outside", __name__, url_prefix="/doc")
_WHY = "the secret in the address is the key to this one document"
_A_MINUTE = 60


@bp.get("/<token>")
@public(_WHY)
def show(token: str) -> ResponseReturnValue:
    now = datetime.now(UTC)
    _throttle(now)
    with transaction() as session:
        found = dispatch.by_token(session, token, now=now)
        # Programs that look whether a link exists ask for the head alone.
        if request.method == "GET":
            dispatch.count_opening(session, found, now=now)
        page = render_template("routes/outside.html", found=found, token=token)
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/<token>/documents/<uuid:document_id>")
@public(_WHY)
def download(token: str, document_id: UUID) -> ResponseReturnValue:
    now = datetime.now(UTC)
    _throttle(now)
    with transaction() as session:
        found = dispatch.by_token(session, token, now=now)
        paper = next((one for one in found.route.papers if one.document_id == document_id), None)
        if paper is None:
            raise NotFound(NO_PAPER)
        return paper_files.issued(paper)


def _throttle(now: datetime) -> None:
    """Count a try from this address, in a transaction of its own: a wrong secret counts too."""
    with transaction() as session:
        bucket = f"document-link-from:{request.remote_addr}"
        passes = may_pass(session, bucket, limit=_A_MINUTE, per=timedelta(minutes=1), now=now)
    if not passes:
        raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))
