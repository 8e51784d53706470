"""`kyvao ceremony`: one reviewed file, two people, one signature. Needs no database and no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from app.certificates import ceremony, ceremony_file
from app.core.settings import Settings, SettingsError, load
from pki.errors import PkiError

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group("ceremony")
def ceremony_group() -> None:
    """Make a root, an authority below it, its next generation, or the root's list."""


@ceremony_group.command("check")
@_FILE
def check(file: Path) -> None:
    """Say what FILE would make, linted on a twin, and the SHA-256 to approve. Nothing is written."""
    with _saying() as settings:
        reviewed = ceremony_file.read(file)
        for line in ceremony.check(settings, reviewed, now=datetime.now(UTC)):
            click.echo(line)
    click.echo(f"SHA-256 of the file: {reviewed.sha256}")


@ceremony_group.command("run")
@_FILE
@click.option("--approve", "approvals", multiple=True, required=True, metavar="NAME=SHA256", help="Give two.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder that is made; must not exist.")
def run(file: Path, approvals: tuple[str, ...], out: Path) -> None:
    """Do what FILE says, if two people approved the SHA-256 that they saw."""
    given = [ceremony.Approval(name, digest) for name, _, digest in (one.rpartition("=") for one in approvals)]
    with _saying() as settings:
        made = ceremony.run(settings, ceremony_file.read(file), given, out, now=datetime.now(UTC))
    for name in sorted(made):
        click.echo(f"{out / name}")
    click.echo("Check the transcript:")
    click.echo(f"openssl dgst -sha384 -verify {out}/signer.pem -signature {out}/transcript.sig {out}/transcript.json")


@contextmanager
def _saying() -> Iterator[Settings]:
    """Give the settings, and turn a refusal into a sentence and an exit code."""
    try:
        yield load(os.environ)
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    except PkiError as error:
        raise click.ClickException(str(error)) from error
