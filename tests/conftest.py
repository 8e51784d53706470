"""Shared arrangements: one PostgreSQL server for each pytest process, emptied after every test that used it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.core import db
from app.core.settings import Settings, load


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser tests first: one process walks them while the other begins with the rest, and both end together.

    Their fixtures end with their package, since Playwright keeps an event loop running in which nobody else can start
    one.
    """
    items.sort(key=lambda item: "browser" not in item.path.parts)


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database on a server of its own (fsync off), gone when the run ends."""
    from app.core.postgres import temporary_server
    from app.migrations import upgrade

    with temporary_server(tmp_path_factory.mktemp("postgres")) as url:
        upgrade(url)
        db.configure(url)
        yield url
        db.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[str]:
    """The database, empty before and emptied after the test."""
    from tests.factories import snapshots

    yield database_url
    snapshots.empty()


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """An open transaction, committed when the test ends without error."""
    with db.transaction() as opened:
        yield opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says `KEYS_IN_BOTH = True` twice: keys in files, and keys in a token."""
    twice = getattr(metafunc.module, "KEYS_IN_BOTH", False) and "files_only" not in metafunc.definition.keywords
    if twice and "settings" in metafunc.fixturenames:
        metafunc.parametrize("keys", ["files", "token"], indirect=True)


@pytest.fixture
def keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Where the keys of the house lie, as settings; the test's processes and jobs see the same."""
    if getattr(request, "param", "files") == "files":
        return {}
    from tests.factories import tokens

    for name, value in tokens.environ().items():
        monkeypatch.setenv(name, value)
    return tokens.environ()


@pytest.fixture
def settings(tmp_path: Path, database_url: str, keys: dict[str, str]) -> Settings:
    return load(
        {
            **keys,
            "KYVAO_DEMO": "1",
            "KYVAO_DATA": str(tmp_path),
            "KYVAO_DATABASE_URL": database_url,
            # Few lists for each authority: a city is made for many tests.
            "KYVAO_SHARDS": "issuing_citizens=4,issuing_officials=2,issuing_seals=1",
        }
    )


@pytest.fixture
def web(settings: Settings, database: str) -> Flask:
    """The `web` application on the test database, form tokens on as in production."""
    from app import create_app

    return create_app(settings)


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    return web.test_client()


@pytest.fixture
def sign_in(web: Flask) -> Callable[[str], FlaskClient]:
    """Return a function that gives a client signed in as the account with that login."""
    from datetime import UTC, datetime

    from app.accounts import service

    def signed_in(login: str) -> FlaskClient:
        with db.transaction() as opened:
            account = service.find_account(opened, login)
            assert account is not None, login
            token = service.open_session(opened, account, now=datetime.now(UTC))
        browser = web.test_client()
        browser.set_cookie("kyvao", token)
        return browser

    return signed_in
