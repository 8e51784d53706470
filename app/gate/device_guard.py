"""The guard of the tablet's routes: a cookie that names an enrolled, unrevoked device."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, current_app, g, request
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import NotSignedIn
from app.core.permissions import Guard, declare
from app.gate import devices
from app.gate.models import Device

P = ParamSpec("P")
R = TypeVar("R")


class NotEnrolled(NotSignedIn):
    """This browser is no tablet of ours, or its tablet was revoked."""


def cookie_name() -> str:
    return "__Host-kyvao-device" if current_app.config["SESSION_COOKIE_SECURE"] else "kyvao-device"


def remember(response: Response, token: str) -> Response:
    """Put the device cookie on `response`; it lasts until the tablet is revoked or enrolled anew."""
    response.set_cookie(
        cookie_name(),
        token,
        max_age=400 * 86400,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Strict",
        path="/",
    )
    return response


def enrolled_device() -> Device | None:
    """Return the tablet that sent this request, or None."""
    token = request.cookies.get(cookie_name())
    if not token or len(token) > 64:
        return None
    with transaction() as session:
        return devices.recognise(session, token, now=datetime.now(UTC))


def current_device() -> Device:
    """Return the tablet of a route guarded by `device_only`."""
    device = g.get("gate_device")
    if not isinstance(device, Device):
        raise NotEnrolled(_l("This tablet is not enrolled, or it was revoked."), _l("Ask an administrator for a code."))
    return device


def device_only(why: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only enrolled tablets pass; `why` says what they do here."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.gate_device = enrolled_device()
            current_device()
            return view(*args, **kwargs)

        return declare(guarded, Guard("device", why))

    return decorate
