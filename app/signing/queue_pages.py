"""Pages of signing several papers one after the other: what waits, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.permissions import Permission, current_actor, needs
from app.routes import words
from app.signing import queue

bp = Blueprint("signing_queue", __name__, url_prefix="/signing/queue")


@bp.get("")
@needs(Permission.SIGN_DOCUMENTS)
def index() -> ResponseReturnValue:
    with transaction() as session:
        found = queue.waiting(session, current_actor(), now=datetime.now(UTC))
        return render_template("signing/queue.html", found=found, words=words)


@bp.get("/begin")
@needs(Permission.SIGN_DOCUMENTS)
def begin() -> ResponseReturnValue:
    """Open the first paper of those that were ticked."""
    chosen = queue.parse(",".join(request.args.getlist("document")))
    return redirect(address(chosen, 0) if chosen else url_for(".index"))


@bp.get("/end")
@needs(Permission.SIGN_DOCUMENTS)
def end() -> ResponseReturnValue:
    chosen = queue.parse(request.args.get("queue", ""))
    with transaction() as session:
        found = queue.outcomes(session, current_actor(), chosen)
        return render_template("signing/queue_end.html", found=found)


def address(chosen: Sequence[UUID], at: int) -> str:
    """Return where the paper at a place of the queue is signed; behind the last one, where all are listed."""
    text = ",".join(str(one) for one in chosen)
    if at >= len(chosen):
        return url_for("signing_queue.end", queue=text)
    return url_for("signing.sign", document_id=chosen[at], queue=text)


def place_in(text: str, document_id: UUID) -> dict[str, str | int] | None:
    """Return what the page of a paper says of its queue: how far it is, and where it goes on; None without one."""
    chosen = queue.parse(text)
    if document_id not in chosen:
        return None
    at = chosen.index(document_id)
    return {
        "position": at + 1,
        "count": len(chosen),
        "nextUrl": address(chosen, at + 1),
        "endUrl": address(chosen, len(chosen)),
    }


def init(app: Flask) -> None:
    app.register_blueprint(bp)
