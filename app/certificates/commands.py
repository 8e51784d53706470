"""`kyvao authority`: the authorities of this installation, in its database. (`kyvao ca` works on files alone.)"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import authorities
from app.certificates import service as certificates
from app.core import db, postgres
from app.core.errors import AppError
from app.core.permissions import house
from app.core.settings import Settings, SettingsError, load
from app.registry.models import Agency

_ACTOR: Final = house("kyvao authority")


@click.group("authority")
def authority() -> None:
    """Make and run the authorities of this installation."""


@authority.command("create")
def create() -> None:
    """Create the root, the issuing authorities, the timestamp unit and the OCSP responders, once."""
    with _opened() as (session, settings):
        authorities.create(session, settings, actor=_ACTOR, now=datetime.now(UTC), tell=click.echo)
    click.echo("Done. Keep a copy of the folder “keys” in a safe place: it cannot be made again.")


@authority.command("certify-agency")
@click.argument("code")
def certify_agency(code: str) -> None:
    """Give the agency with that CODE a new seal and a new pass signer."""
    with _opened() as (session, settings):
        agency = session.scalar(select(Agency).where(Agency.code == code))
        if agency is None:
            raise click.ClickException(f"There is no agency with the code {code}.")
        certificates.certify_agency(session, settings, agency, actor=_ACTOR, now=datetime.now(UTC))
    click.echo(f"{code} has its seal and its pass signer.")


@contextmanager
def _opened() -> Iterator[tuple[Session, Settings]]:
    """Give a session on the database of KYVAO_DATABASE_URL, or on the embedded one of KYVAO_DATA."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    with _database_url(settings) as url:
        db.configure(url)
        try:
            with db.transaction() as session:
                yield session, settings
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
