"""The command `kyvao`. Each part is imported when it is used: checking a PDF loads no web and no database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Final

import click


@dataclass(frozen=True)
class Part:
    """A command that lives elsewhere: where, and what the list of commands says about it."""

    module: str
    attribute: str
    summary: str

    def load(self) -> click.Command:
        command = getattr(import_module(self.module), self.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.module}.{self.attribute} is not a command")
        return command


PARTS: Final[Mapping[str, Part]] = {
    "run": Part("app.supervisor", "run", "Start everything on this machine."),
    "migrate": Part("app.cli", "migrate", "Bring the database's tables up to date."),
    "authority": Part("app.certificates.commands", "authority", "Make the authorities of this installation."),
    "certificates": Part(
        "app.certificates.revocation_commands", "certificates", "Revoke, suspend and release certificates by a list."
    ),
    "registry": Part("app.registry.commands", "registry", "Enter the first agencies, people and accounts."),
    "campaign": Part("app.campaigns.cli", "campaign", "Certificates for many people from one file."),
    "ca": Part("app.certificates.cli", "ca", "Make and run certificate authorities."),
    "ceremony": Part("app.certificates.ceremony_commands", "ceremony_group", "Sign what two people reviewed."),
    "seals": Part("app.seals.cli", "seals", "Make the seals of agencies."),
    "status": Part("app.status.commands", "status", "Look at the status service from outside."),
    "archive": Part("app.archive.cli", "archive", "Until when proofs of documents hold, and renewing them."),
    "pdf": Part("app.signing.cli", "pdf", "Sign and check PDF files."),
    "trust": Part("app.trust.cli", "trust", "Roots that checks of signatures trust."),
    "mail": Part("app.notices.cli", "mail", "Returned letters, and the key that signs letters."),
    "pass": Part("app.meetings.cli", "pass_group", "Read the pass in a QR code."),
}


class Parts(click.Group):
    """A group that knows the names of its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        part = PARTS.get(cmd_name)
        return part.load() if part else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, part.summary) for name, part in PARTS.items()])


@click.group(cls=Parts)
@click.version_option(package_name="kyvao")
def main() -> None:
    """Ký Vào: digital signatures and building entry for a city."""


@click.command("migrate")
def migrate() -> None:
    """Bring the tables of the database up to date: KYVAO_DATABASE_URL, or the embedded one in KYVAO_DATA."""
    from app.core import postgres
    from app.supervisor import prepare, settings_from

    settings = replace(settings_from(os.environ), demonstration=False)
    if settings.database_url is not None:
        prepare(settings)
        return
    with postgres.running(settings.data_dir) as url:
        prepare(replace(settings, database_url=url))


if __name__ == "__main__":
    main()
