"""The outbox as a page: what was sent to whom, and a look at each message.

A letter holds a code and an address that are its guest's own. Outside the demonstration they are left out: whoever runs
the house needs to see that a letter went out, not to be able to enter with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import wraps
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

from flask import Blueprint, Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Forbidden, NotFound
from app.core.navigation import Place, add_place
from app.core.permissions import Actor, Permission, current_actor, signed_in
from app.core.running import settings
from app.notices import service
from app.notices.models import Notice

P = ParamSpec("P")
R = TypeVar("R")

bp = Blueprint("notices", __name__, url_prefix="/outbox")
_OWN_ADDRESS: Final = re.compile(r"/(p|enrol)/[\w-]+")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    everyone = app.extensions["kyvao_settings"].demonstration
    add_place(
        app,
        Place(
            _l("Outbox"),
            "notices.index",
            None if everyone else Permission.READ_OUTBOX,
            _l("Letters that the house has sent or will send."),
        ),
    )


def reader(view: Callable[P, R]) -> Callable[P, R]:
    """Let those pass who may read every letter of the city; in the demonstration everyone who is signed in.

    The demonstration has no mail server: a person who walks through it finds the guests' letters here, all invented.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not (settings().demonstration or _reads_every_letter(current_actor())):
            raise Forbidden(_l("Your account is not allowed to read the outbox."))
        return view(*args, **kwargs)

    return signed_in("`reader` asks for the permission over the whole city, or for the demonstration")(guarded)


@bp.get("/")
@reader
def index() -> ResponseReturnValue:
    before = request.args.get("before", type=datetime.fromisoformat)
    with transaction() as session:
        notices = service.newest(session, before=before)
    older = notices[-1].created_at.isoformat() if len(notices) == service.PAGE else None
    return render_template("notices/index.html", notices=notices, older=older)


@bp.get("/<uuid:notice_id>")
@reader
def show(notice_id: UUID) -> ResponseReturnValue:
    message, notice = _read(notice_id)
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    return render_template(
        "notices/show.html",
        notice=notice,
        text=text if settings().demonstration else _OWN_ADDRESS.sub(r"/\1/…", text),
        pictures=len(_pictures(message)),
        files=[part.get_filename() for part in message.iter_attachments()],
    )


@bp.get("/<uuid:notice_id>/pictures/<int:number>")
@reader
def picture(notice_id: UUID, number: int) -> Response:
    message, _ = _read(notice_id)
    pictures = _pictures(message)
    if number >= len(pictures):
        raise NotFound(_l("There is no such picture."))
    return Response(pictures[number].get_content(), content_type="image/png")


def _reads_every_letter(actor: Actor) -> bool:
    return any(grant.agency_id is None for grant in actor.grants_for(Permission.READ_OUTBOX))


def _pictures(message: EmailMessage) -> list[EmailMessage]:
    """Return the codes that may be shown."""
    if not settings().demonstration:
        return []
    return [part for part in message.walk() if part.get_content_type() == "image/png"]


def _read(notice_id: UUID) -> tuple[EmailMessage, Notice]:
    with transaction() as session:
        notice = service.find(session, notice_id)
    message = message_from_bytes(notice.mime, policy=SMTP)
    if not isinstance(message, EmailMessage):
        raise TypeError("a message of the standard policy is an EmailMessage")
    return message, notice
