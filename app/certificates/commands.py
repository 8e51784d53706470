"""`kyvao authority`: the authorities of this installation, in its database. (`kyvao ca` works on files alone.)"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy import select

from app.certificates import authorities
from app.certificates import service as certificates
from app.core.command_line import opened
from app.core.permissions import house
from app.registry.models import Agency

_ACTOR: Final = house("kyvao authority")


@click.group("authority")
def authority() -> None:
    """Make and run the authorities of this installation."""


@authority.command("create")
def create() -> None:
    """Create the root, the issuing authorities, the timestamp unit and the OCSP responders, once."""
    with opened() as (session, settings):
        authorities.create(session, settings, actor=_ACTOR, now=datetime.now(UTC), tell=click.echo)
    click.echo("Done. Keep a copy of the folder “keys” in a safe place: it cannot be made again.")


@authority.command("certify-agency")
@click.argument("code")
def certify_agency(code: str) -> None:
    """Give the agency with that CODE a new seal and a new pass signer."""
    with opened() as (session, settings):
        agency = session.scalar(select(Agency).where(Agency.code == code))
        if agency is None:
            raise click.ClickException(f"There is no agency with the code {code}.")
        certificates.certify_agency(session, settings, agency, actor=_ACTOR, now=datetime.now(UTC))
    click.echo(f"{code} has its seal and its pass signer.")
