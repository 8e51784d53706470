"""The outbox as a page: what was sent to whom, and a look at each message."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from flask import Blueprint, Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import NotFound
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, needs
from app.notices import service
from app.notices.models import Notice

bp = Blueprint("notices", __name__, url_prefix="/outbox")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    add_place(
        app,
        Place(
            _l("Outbox"), "notices.index", Permission.READ_OUTBOX, _l("Letters that the house has sent or will send.")
        ),
    )


@bp.get("/")
@needs(Permission.READ_OUTBOX)
def index() -> ResponseReturnValue:
    before = request.args.get("before", type=datetime.fromisoformat)
    with transaction() as session:
        notices = service.newest(session, before=before)
    older = notices[-1].created_at.isoformat() if len(notices) == service.PAGE else None
    return render_template("notices/index.html", notices=notices, older=older)


@bp.get("/<uuid:notice_id>")
@needs(Permission.READ_OUTBOX)
def show(notice_id: UUID) -> ResponseReturnValue:
    message, notice = _read(notice_id)
    text = message.get_body(("plain",))
    pictures = [part for part in message.walk() if part.get_content_maintype() == "image"]
    return render_template(
        "notices/show.html",
        notice=notice,
        text=text.get_content() if text else "",
        pictures=len(pictures),
        files=[part.get_filename() for part in message.iter_attachments()],
    )


@bp.get("/<uuid:notice_id>/pictures/<int:number>")
@needs(Permission.READ_OUTBOX)
def picture(notice_id: UUID, number: int) -> Response:
    message, _ = _read(notice_id)
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    if number >= len(pictures):
        raise NotFound(_l("There is no such picture."))
    return Response(pictures[number].get_content(), content_type="image/png")


def _read(notice_id: UUID) -> tuple[EmailMessage, Notice]:
    with transaction() as session:
        notice = service.find(session, notice_id)
    message = message_from_bytes(notice.mime, policy=SMTP)
    if not isinstance(message, EmailMessage):
        raise TypeError("a message of the standard policy is an EmailMessage")
    return message, notice
