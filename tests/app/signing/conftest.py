"""A city whose timestamp service really listens, and an official with a certificate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from app.certificates.models import Certificate
from app.core.settings import Settings, load
from app.status.server import StatusServer
from app.status.views import build
from pki.keys import Curve, SoftwareKey
from tests.factories.certificates import create_city, issued_to


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


@dataclass(frozen=True)
class Signer:
    login: str
    key: SoftwareKey
    certificate: Certificate


@pytest.fixture
def status_server() -> Iterator[WSGIServer]:
    """A server on a free port of the loopback, with no application yet."""
    server = make_server("127.0.0.1", 0, lambda environ, start: [], handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(tmp_path: Path, database_url: str, status_server: WSGIServer) -> Settings:
    """The settings of a test, which name where `status` will run."""
    return load(
        {
            "KYVAO_DEMO": "1",
            "KYVAO_DATA": str(tmp_path),
            "KYVAO_DATABASE_URL": database_url,
            "KYVAO_STATUS_INTERNAL_URL": f"http://127.0.0.1:{status_server.server_port}",
        }
    )


@pytest.fixture
def city(
    settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch, status_server: WSGIServer
) -> Iterator[Settings]:
    """The demonstration city with `status` running in a thread.

    It starts once the city is there, so that its clock may say a time at once, and ends before the tables are emptied,
    so that it leaves no mark for the next test.
    """
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    monkeypatch.setenv("KYVAO_DATABASE_URL", database)
    create_city(settings)
    status = StatusServer(settings, build(settings))
    status.load()
    status_server.set_app(status)
    yield settings
    status.close()


@pytest.fixture
def minh(city: Settings) -> Signer:
    del city
    key = SoftwareKey.generate(Curve.P256)
    return Signer("minh", key, issued_to("minh", key))


@pytest.fixture
def hanh(city: Settings) -> Signer:
    del city
    key = SoftwareKey.generate(Curve.P256)
    return Signer("hanh", key, issued_to("hanh", key))
