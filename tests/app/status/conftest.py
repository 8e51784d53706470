"""A city with its authorities, and `status` listening on loopback for programs that are not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import make_url, select

from app.certificates import authorities
from app.certificates.models import Authority, Certificate
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.registry import service as registry
from app.status.clock_guard import Clocks
from app.status.server import StatusServer
from app.status.views import build
from pki.profiles import ProfileName

HOUSE = house("test")


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class says so
        """Say nothing."""


class Clock:
    """The clock of the server under test; it runs with the machine's until it is moved."""

    def __init__(self) -> None:
        self.moved: datetime | None = None

    def __call__(self) -> datetime:
        return self.moved or datetime.now(UTC)

    @property
    def clocks(self) -> Clocks:
        return Clocks(day=self)


@dataclass
class Running:
    """A server on loopback, the folder for the files of openssl, and a certificate to ask about."""

    url: str
    folder: Path
    server: StatusServer
    clock: Clock
    certificate: Certificate

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)

    def publish_files(self) -> None:
        with db.transaction() as session:
            for authority in session.scalars(select(Authority)):
                write_pem(self.folder / f"{authority.name}.pem", authority.certificate_der)
        assert self.certificate.der is not None
        write_pem(self.folder / "ee.pem", self.certificate.der)


def write_pem(path: Path, der: bytes) -> None:
    path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))


@pytest.fixture
def city(settings: Settings, database: str) -> Certificate:
    """Every authority, one agency, and the certificate of its pass signer."""
    with db.transaction() as session:
        authorities.create(session, settings, actor=HOUSE, now=datetime.now(UTC), tell=lambda _: None)
        agency = registry.add_agency(session, code="H99", name="Ủy ban nhân dân", parent=None, actor=HOUSE)
        authorities.certify_agency(session, settings, agency, actor=HOUSE, now=datetime.now(UTC))
        return session.scalars(select(Certificate).where(Certificate.profile == ProfileName.PASS_SIGNER)).unique().one()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(settings: Settings, city: Certificate, clock: Clock, tmp_path: Path) -> Iterator[Running]:
    application = StatusServer(settings, build(settings), clock.clocks)
    application.load()
    listening = make_server("127.0.0.1", 0, application, server_class=WSGIServer, handler_class=Quiet)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made = Running(f"http://127.0.0.1:{listening.server_port}", tmp_path, application, clock, city)
    made.publish_files()
    yield made
    listening.shutdown()
    listening.server_close()
    thread.join()
    application.close()


@pytest.fixture
def closed_database(database_url: str) -> Iterator[Callable[[], None]]:
    """Return a function that ends every connection to the database and lets no new one in, until the test is over."""
    outside = make_url(database_url).set(drivername="postgresql", database="postgres")

    def run(statement: str) -> None:
        with psycopg.connect(outside.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # fixed sentences of this test

    def close() -> None:
        run("ALTER DATABASE kyvao ALLOW_CONNECTIONS false")
        run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'kyvao'")

    yield close
    run("ALTER DATABASE kyvao ALLOW_CONNECTIONS true")


def eventually(holds: Callable[[], bool], patience: float = 10.0) -> None:
    """Wait until `holds` says yes; what the database tells its listeners takes some milliseconds."""
    pause, until = Event(), monotonic() + patience
    while not holds():
        assert monotonic() < until
        pause.wait(0.01)


@pytest.fixture
def change() -> Callable[..., None]:
    """Return a function that sets columns of a certificate."""

    def changed(certificate: Certificate, **columns: object) -> None:
        with db.transaction() as session:
            found = session.get(Certificate, certificate.id)
            assert found is not None
            for name, value in columns.items():
                setattr(found, name, value)

    return changed
