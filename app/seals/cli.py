"""`kyvao seals`: seals for agencies that have none, one by one or all of a city's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy import select

from app.core import db
from app.core.command_line import connected
from app.core.permissions import house
from app.registry.models import Agency
from app.seals import service

_ACTOR: Final = house("kyvao seals")


@click.group("seals")
def seals() -> None:
    """Make the seals of agencies."""


@seals.command("make")
@click.option("--agency", "code", help="Code of one agency.")
@click.option("--all", "everyone", is_flag=True, help="Every agency that has no valid seal.")
def make(code: str | None, everyone: bool) -> None:
    """Give agencies that have no valid seal one: a key that only the worker can load, and its certificate.

    Each is made in a transaction of its own: run again after an interruption, it goes on where it stopped.
    """
    if (code is None) == (not everyone):
        raise click.UsageError("Give --agency CODE or --all.")
    with connected() as settings:
        with db.transaction() as session:
            lacking = service.without_seal(session, now=datetime.now(UTC))
            if code is not None:
                one = session.scalar(select(Agency.id).where(Agency.code == code))
                if one is None:
                    raise click.ClickException(f"There is no agency with the code {code}.")
                lacking = [agency_id for agency_id in lacking if agency_id == one]
        for agency_id in lacking:
            with db.transaction() as session:
                agency = session.get_one(Agency, agency_id)
                if service.make(session, settings, agency, actor=_ACTOR, now=datetime.now(UTC)) is not None:
                    click.echo(f"{agency.code}  {agency.name}")
    click.echo(f"Seals made: {len(lacking)}.")
