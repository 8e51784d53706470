"""The one place that turns errors into pages and RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.core import errors
from app.core.logs import log

_STATUS: dict[type[errors.AppError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotSignedIn: HTTPStatus.UNAUTHORIZED,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

_HTTP_SENTENCES: dict[int, tuple[errors.Sentence, errors.Sentence]] = {
    400: (
        _l("The request could not be read. Nothing was changed."),
        _l("Go back, reload the page and try again."),
    ),
    404: (_l("There is no page at this address."), _l("Check the address, or begin from the home page.")),
    405: (_l("This page cannot be used that way."), _l("Begin from the home page.")),
    415: (
        _l("The body does not have the media type that is asked for. Nothing was changed."),
        _l("Send it with the “Content-Type” that the description of the operation names."),
    ),
    413: (
        _l("What you sent is too large. Nothing was changed."),
        _l("Send a smaller file; the page says how large it may be."),
    ),
}


def status_of(error: errors.AppError) -> HTTPStatus:
    """Return the HTTP status for `error`; an unlisted subclass answers as its nearest listed parent."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.UNPROCESSABLE_ENTITY


def wants_json() -> bool:
    """Say whether the caller is a program: it asks for JSON, or it sent JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return request.is_json or (best is not None and best != "text/html")


def init_problems(app: Flask) -> None:
    """Register the handlers of `app`."""
    app.register_error_handler(errors.AppError, _app_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _app_error(error: errors.AppError) -> ResponseReturnValue:
    if isinstance(error, errors.NotSignedIn) and not wants_json() and request.method == "GET":
        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
    answer = _answer(status_of(error), error.sentence, error.next_step, error.members)
    if isinstance(error, errors.NotSignedIn) and isinstance(answer, Response):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _csrf_error(error: CSRFError) -> ResponseReturnValue:
    log.info("csrf_refused", why=error.description)
    return _answer(
        HTTPStatus.BAD_REQUEST,
        _l("The page was open for too long, or it came from elsewhere. Nothing was changed."),
        _l("Reload the page and try again."),
    )


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code is not None and error.code < 400):
        return error
    code = error.code or 500
    sentence, next_step = _HTTP_SENTENCES.get(code, _HTTP_SENTENCES[400])
    answer = _answer(HTTPStatus(code), sentence, next_step)
    if isinstance(error, MethodNotAllowed) and isinstance(answer, Response):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected_error", exc_info=error)
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _l("We could not finish. Nothing was changed."),
        _l("Try again in a few minutes. If it happens again, tell us the reference."),
    )


def _answer(
    status: HTTPStatus,
    sentence: errors.Sentence,
    next_step: errors.Sentence | None,
    members: Mapping[str, object] | None = None,
) -> ResponseReturnValue:
    reference = g.get("reference", "")
    if wants_json():
        body: dict[str, object] = {"type": "about:blank", "title": str(sentence), "status": status.value}
        body |= {"reference": reference, **(members or {})}
        if next_step is not None:
            body["detail"] = str(next_step)
        response: Response = jsonify(body)
        response.content_type = "application/problem+json"
    else:
        page = render_template(
            "errors/error.html",
            title=_("We could not do that") if status < 500 else _("Something is wrong on our side"),
            sentence=sentence,
            next_step=next_step,
            reference=reference,
            status=status.value,
        )
        response = Response(page, content_type="text/html; charset=utf-8")
    response.status_code = status.value
    return response
