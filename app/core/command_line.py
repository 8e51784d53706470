"""What commands that use the database share: opening it, and turning our errors into sentences of the command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click
from sqlalchemy.orm import Session

from app.core import db, postgres
from app.core.errors import AppError
from app.core.settings import Settings, SettingsError, load


@contextmanager
def opened() -> Iterator[tuple[Session, Settings]]:
    """Give a session on the database of KYVAO_DATABASE_URL, or on the embedded one of KYVAO_DATA."""
    with connected() as settings, db.transaction() as session:
        yield session, settings


@contextmanager
def connected() -> Iterator[Settings]:
    """The same for a command of several transactions: the database is there, the command opens them itself."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    with _database_url(settings) as url:
        db.configure(url)
        try:
            yield replace(settings, database_url=url)
        except AppError as error:
            raise click.ClickException(str(error)) from error
        finally:
            db.dispose()


@contextmanager
def _database_url(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url
        return
    with postgres.running(settings.data_dir) as url:
        yield url
