"""The hot paths of `status` as a bare WSGI application; everything else goes to the page behind it.

Whatever a client sends, the answer is one of the protocol's own: OCSP and RFC 3161 have words for "malformed" and for
"try later", and a client that meets a 5xx asks another responder or gives up checking.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from app.core.db import transaction
from app.core.logs import log
from app.core.settings import Settings
from app.status import answers, published, timestamps
from app.status.material import Holder
from pki import ocsp, tsa
from pki.ocsp import OcspError, error_response
from pki.tsa import TimestampFailure, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CRL: Final = re.compile(r"/crl/([a-z0-9_-]{1,40})/([0-9]{1,4})\.crl")
_CA: Final = re.compile(r"/ca/([a-z0-9_-]{1,40})\.cer")
_READ: Final = frozenset({"GET", "HEAD"})
# A revocation must be seen at once; caches on the way may only soften a rush (RFC 5019, 6.2).
_OCSP_AGE: Final = timedelta(seconds=30)
_CRL_AGE: Final = timedelta(minutes=5)
_CA_AGE: Final = timedelta(days=1)


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class StatusServer:
    """Answers `/ocsp`, `/tsa`, `/crl/…`, `/ca/…` and `/healthz`."""

    def __init__(self, settings: Settings, page: WSGIApplication, now: Callable[[], datetime] | None = None) -> None:
        self._holder = Holder(settings)
        self._page = page
        self._now = now or _system_time

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        reply = self._answer(environ)
        if reply is None:
            return self._page(environ, start_response)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body))), *reply.headers]
        start_response(f"{reply.status.value} {reply.status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def load(self) -> None:
        """Load the keys now; a database that is not there yet is asked again at the first request."""
        try:
            self._holder.get(self._now())
        except SQLAlchemyError:
            log.warning("status_started_without_database")

    def _answer(self, environ: WSGIEnvironment) -> Reply | None:
        path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
        if path == "/ocsp" or path.startswith("/ocsp/"):
            return self._ocsp(environ, method, path)
        if path == "/tsa":
            return self._tsa(environ, method)
        if path == "/healthz":
            return self._health()
        for pattern, make in ((_CRL, self._crl), (_CA, self._certificate)):
            found = pattern.fullmatch(path)
            if found and method in _READ:
                return make(environ, *found.groups())
        return None

    def _ocsp(self, environ: WSGIEnvironment, method: str, path: str) -> Reply:
        if method == "POST":
            request_der = _body(environ, ocsp.MAXIMUM_SIZE)
        elif method in _READ:
            request_der = _from_path(path)
        else:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "GET or POST", ("Allow", "GET, HEAD, POST"))
        now = self._now()
        try:
            with transaction() as session:
                answer = answers.answer(session, self._holder.get(now), request_der, now=now)
        except SQLAlchemyError:
            log.error("ocsp_without_database")
            answer = answers.Answer(error_response(OcspError.TRY_LATER), cacheable=False)
        except Exception as error:  # noqa: BLE001  the edge of the process: OCSP has its own word for this
            log.error("ocsp_failed", exc_info=error)
            answer = answers.Answer(error_response(OcspError.INTERNAL_ERROR), cacheable=False)
        headers = [("Cache-Control", "no-store")]
        if method != "POST" and answer.cacheable:
            headers = _cached(answer.der, now, now + answers.LIFETIME, _OCSP_AGE)
        return Reply(HTTPStatus.OK, "application/ocsp-response", answer.der, tuple(headers))

    def _tsa(self, environ: WSGIEnvironment, method: str) -> Reply:
        if method != "POST":
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "POST", ("Allow", "POST"))
        request_der = _body(environ, tsa.MAXIMUM_REQUEST)
        now = self._now()
        try:
            with transaction() as session:
                body = timestamps.answer(session, self._holder.get(now), request_der, now=now)
        except Exception as error:  # noqa: BLE001  the edge of the process: RFC 3161 has its own word for this
            log.error("timestamp_failed", exc_info=error)
            body = refuse(TimestampFailure.SYSTEM_FAILURE)
        return Reply(HTTPStatus.OK, "application/timestamp-reply", body, (("Cache-Control", "no-store"),))

    def _crl(self, environ: WSGIEnvironment, name: str, shard: str) -> Reply | None:
        with transaction() as session:
            found = published.newest_list(session, name, int(shard))
        if found is None:
            return None
        headers = _cached(found.der, found.this_update, found.next_update, _CRL_AGE)
        return _unless_known(environ, Reply(HTTPStatus.OK, "application/pkix-crl", found.der, tuple(headers)))

    def _certificate(self, environ: WSGIEnvironment, name: str) -> Reply | None:
        with transaction() as session:
            found = published.authority_certificate(session, name)
        if found is None:
            return None
        headers = (("ETag", _etag(found)), ("Cache-Control", f"public, max-age={int(_CA_AGE.total_seconds())}"))
        return _unless_known(environ, Reply(HTTPStatus.OK, "application/pkix-cert", found, headers))

    def _health(self) -> Reply:
        """200 when keys are loaded and no published list has run out; 503 with one word otherwise."""
        now = self._now()
        try:
            complete = self._holder.get(now).is_complete
            with transaction() as session:
                ends = published.stalest(session)
        except SQLAlchemyError:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "database")
        if not complete:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "keys")
        if ends is None or ends <= now:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "lists")
        return _plain(HTTPStatus.OK, "ok")


def _body(environ: WSGIEnvironment, most: int) -> bytes:
    """Read at most one byte more than allowed: the parser then says that it is too long."""
    length = environ.get("CONTENT_LENGTH") or ""
    wanted = min(int(length), most + 1) if length.isascii() and length.isdigit() and len(length) < 10 else most + 1
    body: bytes = environ["wsgi.input"].read(wanted)
    return body


def _from_path(path: str) -> bytes:
    """Return the request of a GET: base64 in the path, percent-decoded by the server (RFC 6960, A.1)."""
    text = path.removeprefix("/ocsp").lstrip("/")
    try:
        return base64.b64decode(text[: 2 * ocsp.MAXIMUM_SIZE].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _cached(body: bytes, modified: datetime, ends: datetime, age: timedelta) -> list[tuple[str, str]]:
    # RFC 5019, 6.2: never beyond nextUpdate, and not changed on the way.
    seconds = int(age.total_seconds())
    return [
        ("ETag", _etag(body)),
        ("Last-Modified", format_datetime(modified.astimezone(UTC), usegmt=True)),
        ("Expires", format_datetime(ends.astimezone(UTC), usegmt=True)),
        ("Cache-Control", f"max-age={seconds}, public, no-transform, must-revalidate"),
    ]


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _unless_known(environ: WSGIEnvironment, reply: Reply) -> Reply:
    known = environ.get("HTTP_IF_NONE_MATCH", "")
    if dict(reply.headers)["ETag"] in known:
        return Reply(HTTPStatus.NOT_MODIFIED, reply.content_type, b"", reply.headers)
    return reply


def _plain(status: HTTPStatus, word: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, "text/plain; charset=utf-8", word.encode(), (*headers, ("Cache-Control", "no-store")))


def _system_time() -> datetime:
    return datetime.now(UTC)
