"""The two hot paths of the gate as a bare WSGI application; everything else goes to the pages behind it.

`POST /gate/scans` and `POST /gate/v1/events` come here when the tablet shows its token as `Authorization: Bearer`, or
sends its cookie with the header `X-Kyvao-Gate`: another site can do neither. Flask has the same two routes, which call
the same functions; they declare the permission, and serve whoever sends a form token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import transaction
from app.core.errors import Invalid
from app.core.logs import log
from app.core.settings import Settings
from app.gate import admissions, event_message, events
from app.gate import admissions_sql as sql
from app.gate.admissions import Keys
from app.gate.admissions_sql import Connection
from app.gate.scan_message import ScanMessage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SCANS: Final = "/gate/scans"
EVENTS: Final = "/gate/v1/events"
COOKIES: Final = ("__Host-kyvao-device", "kyvao-device")
# A batch of 500 entries with their codes has about 600 kB.
_LONGEST: Final = {SCANS: 8_192, EVENTS: 1_500_000}
# In seconds. A revoked key of an agency is refused within this time; a withdrawn pass and a revoked tablet at once.
_KEYS_AGE: Final = 1.0
_SEEN_STEP: Final = timedelta(minutes=1)
_PATIENCE: Final = 5.0
_HEADERS: Final = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))

Said = tuple[HTTPStatus, dict[str, object]]


class GateServer:
    """Answers scans and batches of tablets' logs; `page` answers what is left."""

    def __init__(self, settings: Settings, page: WSGIApplication) -> None:
        url = make_url(settings.database_url or "").set(drivername="postgresql")
        self._settings, self._page = settings, page
        self._pool = ConnectionPool(
            url.render_as_string(hide_password=False),
            connection_class=psycopg.Connection[tuple[object, ...]],
            kwargs={"autocommit": True, "application_name": "kyvao gate"},
            min_size=1,
            max_size=16,
            timeout=_PATIENCE,
            open=False,
        )
        self._keys: Keys | None = None
        self._keys_until = 0.0
        self._lock = Lock()
        self._opened = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        token = _token(environ) if path in _LONGEST and environ["REQUEST_METHOD"] == "POST" else None
        if token is None:
            return self._page(environ, start_response)
        status, said = self._answer(path, token, environ)
        body = json.dumps(said, ensure_ascii=False).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _answer(self, path: str, token: str, environ: WSGIEnvironment) -> Said:
        act: Callable[[Connection, str, object], Said] = self._scan if path == SCANS else self._events
        try:
            body = _body(environ, _LONGEST[path])
            with self._connections().connection() as connection:
                return act(connection, token, body)
        except Invalid:
            # Read by a program of ours, which has its own words.
            log.info("gate_message_refused", path=path)
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"fault": "unreadable"}
        except (psycopg.OperationalError, SQLAlchemyError, PoolTimeout):
            log.error("gate_without_database")
            return HTTPStatus.SERVICE_UNAVAILABLE, {}
        except Exception as error:  # noqa: BLE001  the edge of the process
            log.error("gate_failed", exc_info=error)
            return HTTPStatus.INTERNAL_SERVER_ERROR, {}

    def _scan(self, connection: Connection, token: str, body: object) -> Said:
        message, now = ScanMessage.parse(body), datetime.now(UTC)
        found = admissions.read_pass(message.digits, self._keys_now(now), now)
        scene = admissions.look(connection, sql.SCENE_BY_TOKEN, found, token_sha256=_digest(token))
        if scene is None:
            return HTTPStatus.UNAUTHORIZED, {"wipe": True}
        answer = admissions.settle(connection, scene, message, found, operator=None, now=now)
        if scene.last_seen_at is None or now >= scene.last_seen_at + _SEEN_STEP:
            connection.execute(sql.SEEN.encode(), {"now": now, "device_id": scene.device_id})
        return HTTPStatus.OK, answer.to_json()

    def _events(self, connection: Connection, token: str, body: object) -> Said:
        entries = event_message.parse(body)
        with connection.transaction():
            who = events.sender(connection, entries[0].event.device_id)
            if who is None or not events.is_theirs(who, token):
                return HTTPStatus.UNAUTHORIZED, {"wipe": True}
            receipt = events.take(connection, who, entries, now=datetime.now(UTC))
        if who.revoked_at is not None:
            return HTTPStatus.UNAUTHORIZED, {"wipe": True, **receipt.to_json()}
        return HTTPStatus.OK, receipt.to_json()

    def _keys_now(self, now: datetime) -> Keys:
        keys = self._keys
        if keys is not None and monotonic() < self._keys_until:
            return keys
        with self._lock:
            if self._keys is None or monotonic() >= self._keys_until:
                with transaction() as session:
                    self._keys = Keys.read(session, self._settings, now=now)
                self._keys_until = monotonic() + _KEYS_AGE
            return self._keys

    def _connections(self) -> ConnectionPool[Connection]:
        with self._lock:
            if not self._opened:
                self._pool.open()
                self._opened = True
        return self._pool


def _token(environ: WSGIEnvironment) -> str | None:
    """Return the tablet's token as only the tablet's own page can send it, or None."""
    kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind == "Bearer" and 0 < len(token) <= 64:
        return str(token)
    if "HTTP_X_KYVAO_GATE" not in environ:
        return None
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return None
    values = [found[name].value for name in COOKIES if name in found]
    return values[0] if values and len(values[0]) <= 64 else None


def _body(environ: WSGIEnvironment, most: int) -> object:
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > most:
        return None
    try:
        return json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError):
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
