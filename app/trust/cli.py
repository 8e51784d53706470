"""`kyvao trust`: see and export the roots that checks trust, and ask for another one to be imported.

Whoever may run it on the server is trusted to name the administrator who asks; another one approves on the page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from app.accounts import service as accounts
from app.core.command_line import opened
from app.trust import acts, service, words
from app.trust.models import Kind
from pki.trust_list import LARGEST_FILE

_WIDTH: Final = 12


@click.group("trust")
def trust() -> None:
    """Roots that checks of signatures trust."""


@trust.command("list")
def list_roots() -> None:
    """Print the trusted roots, and the hosts that may be asked about certificates below them."""
    with opened() as (session, _):
        for one in service.roots(session):
            until = f"{one.certificate.not_valid_after_utc:%Y-%m-%d}"
            click.echo(f"{one.kind:<{_WIDTH}}  {until}  {one.sha256}  {words.name_of(one.certificate.subject)}")
        for host in service.listed_hosts(session):
            click.echo(f"{'host':<{_WIDTH}}  {host.added_at:%Y-%m-%d}  {words.place(host.host, host.port)}")


@trust.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True, help="Whose root it is.")
@click.option("--reason", required=True, help="Why it is trusted, and where the file is from.")
@click.option("--by", required=True, help="Sign-in name of the administrator who asks.")
def import_root(file: Path, kind: str, reason: str, by: str) -> None:
    """Ask for the root in FILE (PEM, DER or P7B) to be trusted; another administrator approves."""
    with file.open("rb") as source:
        content = source.read(LARGEST_FILE + 1)
    with opened() as (session, settings):
        account = accounts.find_account(session, by)
        if account is None:
            raise click.ClickException(f"There is no account “{by}”.")
        actor = accounts.actor_of(account)
        act = acts.ask_to_import(session, actor, content, kind=Kind(kind), reason=reason, now=datetime.now(UTC))
        click.echo(f"Asked. Another administrator approves at {settings.web_url}/approvals/{act.id}")


@trust.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; without it, the output.")
def export(out: Path | None) -> None:
    """Write every trusted root as PEM."""
    with opened() as (session, _):
        content = service.export(session)
    if out is None:
        click.echo(content, nl=False)
    else:
        out.write_bytes(content)
