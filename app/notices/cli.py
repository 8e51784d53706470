"""`kyvao mail`: what a mail server and the DNS need from the house."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

import click

from app.core import db
from app.core.command_line import connected
from app.core.settings import load
from app.notices import bounces, dkim

# EX_DATAERR of sysexits.h: mail servers know it.
_NOT_OURS: Final = 65


@click.group("mail")
def mail() -> None:
    """Returned letters, and the key that signs letters."""


@mail.command("bounce")
@click.argument("message", type=click.File("rb"), default="-")
def bounce(message: BinaryIO) -> None:
    """Read one report of a lost letter, from a pipe of the mail server."""
    raw = message.read(bounces.LARGEST + 1)
    with connected() as settings, db.transaction() as session:
        found = bounces.take(session, settings, raw)
    if found is None:
        click.echo("This is no report about a letter of the house, or it was read before.", err=True)
        raise SystemExit(_NOT_OURS)
    click.echo(f"The letter {found} came back.")


@mail.command("dkim")
def dkim_record() -> None:
    """Print the DNS record for the key that signs letters."""
    signer = dkim.signer_of(load(os.environ))
    if signer is None:
        raise click.ClickException("KYVAO_DKIM_KEY names no key.")
    click.echo(f'{signer.selector}._domainkey.{signer.domain}. IN TXT "{dkim.dns_record(signer)}"')
