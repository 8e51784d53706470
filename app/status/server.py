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
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import UUID

import psycopg
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.certificates.crl_models import FULL
from app.core.db import transaction
from app.core.logs import log
from app.core.settings import Settings
from app.status import answers, published, timestamps
from app.status.answers import Answer, Answers
from app.status.clock_guard import MACHINE, ClockGuard, Clocks
from app.status.feed import Connect, Feed
from app.status.lookups import Register
from app.status.material import Holder, answers_folder
from app.status.published import Published
from pki import ocsp, tsa
from pki.ocsp import OcspError
from pki.tsa import TimestampFailure, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CRL: Final = re.compile(r"/crl/([a-z0-9_-]{1,40})/(full|[0-9]{1,4}(?:-delta)?)\.crl")
_CA: Final = re.compile(r"/ca/([a-z0-9_-]{1,40})\.cer")
_READ: Final = frozenset({"GET", "HEAD"})
# In seconds. A revocation must be seen at once; caches on the way may only soften a rush (RFC 5019, 6.2).
_OCSP_AGE: Final = 30
_CRL_AGE: Final = 300
_CA_AGE: Final = 24 * 3600
_OCSP_TYPE: Final = ("Content-Type", "application/ocsp-response")
_NOT_KEPT: Final = ("Cache-Control", "no-store")


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class StatusServer:
    """Answers `/ocsp`, `/tsa`, `/crl/…`, `/ca/…` and `/healthz`."""

    def __init__(self, settings: Settings, page: WSGIApplication, clocks: Clocks | None = None) -> None:
        self._holder = Holder(settings)
        self._page = page
        self._clocks = clocks or MACHINE
        self._register = Register(settings.database_url or "")
        self._lists = published.Kept()
        self.feed = Feed(connector(settings.database_url or ""), answers_folder(settings), published=self._hear_of_list)
        self._answers = Answers(self.feed, self._register, settings.ocsp_lifetime)
        self.guard = ClockGuard(self._register.engine, self._timestamp_unit, self._clocks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/ocsp" or path.startswith("/ocsp/"):
            return self._ocsp(environ, start_response, path)
        reply = self._answer(environ, path)
        if reply is None:
            return self._page(environ, start_response)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body))), *reply.headers]
        start_response(f"{reply.status.value} {reply.status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def load(self) -> None:
        """Load the keys and begin to listen; a database that is not there yet is asked again at the first request."""
        try:
            self._holder.get(self._clocks.day())
        except SQLAlchemyError:
            log.warning("status_started_without_database")
        self.guard.look()
        self.guard.start()
        self.feed.start()

    def close(self) -> None:
        """Stop listening."""
        self.guard.stop()
        self.feed.stop()
        self._register.close()

    def _timestamp_unit(self) -> UUID | None:
        # Called twice a second by the guard's thread, which so keeps the material fresh for everyone.
        service = self._holder.refresh(self._clocks.day()).timestamps
        return service.certificate_id if service is not None else None

    def _hear_of_list(self, name: str) -> None:
        self._lists.forget(name)
        # A new list of the root may be the end of an authority.
        if not name or name.startswith("root"):
            self._holder.look_again()

    def _answer(self, environ: WSGIEnvironment, path: str) -> Reply | None:
        if path == "/tsa":
            return self._tsa(environ, environ["REQUEST_METHOD"])
        if path == "/healthz":
            return self._health()
        for pattern, make in ((_CRL, self._crl), (_CA, self._certificate)):
            found = pattern.fullmatch(path)
            if found and environ["REQUEST_METHOD"] in _READ:
                try:
                    return make(environ, *found.groups())
                except SQLAlchemyError:
                    return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "database", ("Retry-After", "5"))
        return None

    def _ocsp(self, environ: WSGIEnvironment, start_response: StartResponse, path: str) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method == "POST":
            answer = self._ocsp_answer(_body(environ, ocsp.MAXIMUM_SIZE))
            headers = [_OCSP_TYPE, ("Content-Length", str(len(answer.der))), _NOT_KEPT]
        elif method in _READ:
            answer = self._ocsp_answer(_from_path(path))
            headers = [_OCSP_TYPE, ("Content-Length", str(len(answer.der))), *_ocsp_headers(answer)]
        else:
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD, POST"), ("Content-Length", "0"), _NOT_KEPT])
            return []
        start_response("200 OK", headers)
        return [] if method == "HEAD" else [answer.der]

    def _ocsp_answer(self, request_der: bytes) -> Answer:
        now = self._clocks.day()
        try:
            return self._answers.answer(self._holder.get(now), request_der, now)
        except SQLAlchemyError:
            log.error("ocsp_without_database")
            return answers.error(OcspError.TRY_LATER)
        except Exception as error:  # noqa: BLE001  the edge of the process: OCSP has its own word for this
            log.error("ocsp_failed", exc_info=error)
            return answers.error(OcspError.INTERNAL_ERROR)

    def _tsa(self, environ: WSGIEnvironment, method: str) -> Reply:
        if method != "POST":
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "POST", ("Allow", "POST"))
        request_der = _body(environ, tsa.MAXIMUM_REQUEST)
        try:
            body = timestamps.answer(self._holder.get(self._clocks.day()), self.guard, request_der)
        except Exception as error:  # noqa: BLE001  the edge of the process: RFC 3161 has its own word for this
            log.error("timestamp_failed", exc_info=error)
            body = refuse(TimestampFailure.SYSTEM_FAILURE)
        return Reply(HTTPStatus.OK, "application/timestamp-reply", body, (_NOT_KEPT,))

    def _crl(self, environ: WSGIEnvironment, name: str, which: str) -> Reply | None:
        def read() -> Published | None:
            with transaction() as session:
                shard, _, delta = which.partition("-")
                found = published.newest_list(session, name, FULL if shard == "full" else int(shard))
                der = found.delta_der if found and delta else found.der if found else None
                return published.published(der, found.this_update, found.next_update) if found and der else None

        found = self._kept(f"{name}/{which}", read)
        if found is None or found.this_update is None or found.next_update is None:
            return None
        headers = (
            ("ETag", found.etag),
            *_cached(int(found.this_update.timestamp()), int(found.next_update.timestamp()), _CRL_AGE),
        )
        return _unless_known(environ, Reply(HTTPStatus.OK, "application/pkix-crl", found.der, headers))

    def _certificate(self, environ: WSGIEnvironment, name: str) -> Reply | None:
        def read() -> Published | None:
            with transaction() as session:
                found = published.authority_certificate(session, name)
                return published.published(found) if found else None

        found = self._kept(f"{name}.cer", read)
        if found is None:
            return None
        headers = (("ETag", found.etag), ("Cache-Control", f"public, max-age={_CA_AGE}"))
        return _unless_known(environ, Reply(HTTPStatus.OK, "application/pkix-cert", found.der, headers))

    def _kept(self, name: str, read: Callable[[], Published | None]) -> Published | None:
        return self._lists.get(name, read, told=self.feed.in_step)

    def _health(self) -> Reply:
        """200 when keys are loaded and no published list has run out; 503 with one word otherwise."""
        now = self._clocks.day()
        try:
            complete = self._holder.refresh(now).is_complete
            with transaction() as session:
                ends = published.stalest(session)
        except SQLAlchemyError:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "database")
        if not complete:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "keys")
        if ends is None or ends <= now:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "lists")
        return _plain(HTTPStatus.OK, "ok")


def connector(database_url: str) -> Connect:
    """Return how the feed reaches the database: at once with every statement, and given up soon when it is silent."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            url, autocommit=True, connect_timeout=5, tcp_user_timeout=3000, application_name="kyvao status feed"
        )

    return connect


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


def _ocsp_headers(answer: Answer) -> list[tuple[str, str]]:
    if not answer.next_update:
        return [_NOT_KEPT]
    etag = f'"{hashlib.sha256(answer.der).hexdigest()[:32]}"'
    return [("ETag", etag), *_cached(answer.this_update, answer.next_update, _OCSP_AGE)]


@lru_cache(maxsize=1024)
def _cached(modified: int, ends: int, age: int) -> tuple[tuple[str, str], ...]:
    # RFC 5019, 6.2: never beyond nextUpdate, and not changed on the way. Here a life is far longer than `age`.
    return (
        ("Last-Modified", formatdate(modified, usegmt=True)),
        ("Expires", formatdate(ends, usegmt=True)),
        ("Cache-Control", f"max-age={age}, public, no-transform, must-revalidate"),
    )


def _unless_known(environ: WSGIEnvironment, reply: Reply) -> Reply:
    known = environ.get("HTTP_IF_NONE_MATCH", "")
    if dict(reply.headers)["ETag"] in known:
        return Reply(HTTPStatus.NOT_MODIFIED, reply.content_type, b"", reply.headers)
    return reply


def _plain(status: HTTPStatus, word: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, "text/plain; charset=utf-8", word.encode(), (*headers, _NOT_KEPT))
