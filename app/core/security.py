"""What every page carries against misuse: limits, form tokens, the content policy and its companions."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden

from app.core.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

ORDINARY_BODY: Final = 1024 * 1024
# What a person may upload: a PDF of 25 MB and the form around it.
UPLOAD_BODY: Final = 26 * 1024 * 1024
# What an official may upload to sign: a file of 100 MB; it goes to the disk.
PAPER_BODY: Final = 101 * 1024 * 1024
# What a registration officer may upload: the list of a campaign.
LIST_BODY: Final = 201 * 1024 * 1024
ORDINARY_FORM: Final = 256 * 1024
# A list of guests travels through its page of confirmation.
UPLOAD_FORM: Final = 2 * 1024 * 1024

csrf = CSRFProtect()

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def init_security(app: Flask, settings: Settings) -> None:
    """Set limits, cookies, CSRF protection and the headers of each answer."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=ORDINARY_BODY,
        MAX_FORM_MEMORY_SIZE=ORDINARY_FORM,
        MAX_FORM_PARTS=200,
        SESSION_COOKIE_NAME="__Host-kyvao-form" if settings.secure_cookies else "kyvao-form",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=False,
    )
    # In this order: looking for the form token reads the body, so its limit must be known by then.
    app.before_request(_refuse_foreign_origin)
    app.before_request(_limit_body)
    csrf.init_app(app)
    app.after_request(_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def csp_nonce() -> str:
    """Return this request's nonce for scripts (22 characters)."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def takes_upload(view: Callable[P, R]) -> Callable[P, R]:
    """Let the body of this route's requests be as large as an upload may be."""
    view.__dict__["takes_upload"] = True
    return view


def takes_paper(view: Callable[P, R]) -> Callable[P, R]:
    """Let the body of this route's requests be as large as a paper to sign may be; it goes to a file."""
    view.__dict__["takes_paper"] = True
    return view


def takes_list(view: Callable[P, R]) -> Callable[P, R]:
    """Let the body of this route's requests be as large as the list of a campaign may be; it goes to a file."""
    view.__dict__["takes_list"] = True
    return view


def allow_camera_and_wasm() -> None:
    """Let this page use the camera and compile WebAssembly (the gate's scanner)."""
    g.camera_and_wasm = True


def _limit_body() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and view.__dict__.get("takes_upload", False):
        request.max_content_length = UPLOAD_BODY
        request.max_form_memory_size = UPLOAD_FORM
    if view is not None and view.__dict__.get("takes_paper", False):
        request.max_content_length = PAPER_BODY
    if view is not None and view.__dict__.get("takes_list", False):
        request.max_content_length = LIST_BODY


def _refuse_foreign_origin() -> None:
    # A second lock beside the form token: browsers name the origin of every unsafe request.
    if request.method not in _UNSAFE:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and (origin == "null" or urlsplit(origin).netloc != request.host)
    if foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden


def _headers(response: Response) -> Response:
    gate = g.get("camera_and_wasm", False)
    script = f"'nonce-{csp_nonce()}' 'strict-dynamic'" + (" 'wasm-unsafe-eval'" if gate else "")
    policy = {
        "default-src": "'none'",
        "script-src": script,
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "media-src": "'self' blob:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    headers = response.headers
    headers.setdefault("Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in policy.items()))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", f"camera=({'self' if gate else ''}), microphone=(), geolocation=()")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
