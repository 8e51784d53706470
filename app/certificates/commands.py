"""`kyvao authority`: the authorities of this installation, in its database. (`kyvao ca` works on files alone.)"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy import select

from app.certificates import authorities, authority_generations, crls, crls_from_ceremony, tasks
from app.certificates import service as certificates
from app.certificates.models import Authority
from app.core import db
from app.core.command_line import connected, opened
from app.core.permissions import house
from app.registry.models import Agency
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

_ACTOR: Final = house("kyvao authority")


@click.group("authority")
def authority() -> None:
    """Make and run the authorities of this installation."""


@authority.command("create")
@click.option(
    "--from", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with root.cer and perhaps issuing_citizens.cer … from ceremonies; the rest is made here.",
)  # fmt: skip
def create(folder: Path | None) -> None:
    """Create the root, the issuing authorities, the timestamp unit and the OCSP responders, once."""
    profiles = (ProfileName.ROOT, *authorities.SHARDS)
    files = {one: folder / f"{one}.cer" for one in profiles} if folder else {}
    made = {profile: path.read_bytes() for profile, path in files.items() if path.exists()}
    if folder and ProfileName.ROOT not in made:
        raise click.ClickException("There is no root.cer in that folder.")
    with opened() as (session, settings):
        authorities.create(session, settings, actor=_ACTOR, now=datetime.now(UTC), tell=click.echo, made=made)
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


_PROFILE: Final = click.Choice([str(profile) for profile in authorities.SHARDS])
_APPROVED_BY: Final = click.option(
    "--approved-by", "approvers", multiple=True, required=True, help="Login of an administrator; give two."
)


@authority.command("list")
def list_authorities() -> None:
    """Show every authority: since when it is retired or revoked, and until when it issues."""
    with opened() as (session, _):
        for one in authorities.all_authorities(session):
            click.echo(_line(one))


@authority.command("roll-over")
@click.argument("profile", type=_PROFILE)
@click.option("--generation", type=click.IntRange(min=2), help="The number it gets; default the next.")
@_APPROVED_BY
def roll_over(profile: str, generation: int | None, approvers: tuple[str, ...]) -> None:
    """Make the next generation of the authority PROFILE; the one before issues no more, its lists go on."""
    with opened() as (session, settings):
        chosen = ProfileName(profile)
        number = generation or authority_generations.next_number(session, chosen)
        approval = authority_generations.approved_by(session, approvers)
        made = authority_generations.roll_over(
            session, settings, chosen, number, actor=_ACTOR, approval=approval, now=datetime.now(UTC)
        )
        click.echo(f"{made.name} issues from now on. Keep a copy of the folder “keys” in a safe place.")


@authority.command("take-in")
@click.argument("profile", type=_PROFILE)
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--key", "key_reference", required=True, help="Where its key lies, such as worker/issuing_citizens-g2.")
@_APPROVED_BY
def take_in(profile: str, certificate: Path, key_reference: str, approvers: tuple[str, ...]) -> None:
    """Put the next generation of PROFILE into service that a ceremony made."""
    with opened() as (session, settings):
        approval = authority_generations.approved_by(session, approvers)
        made = authority_generations.take_in(
            session, settings, ProfileName(profile), certificate.read_bytes(), key_reference,
            actor=_ACTOR, approval=approval, now=datetime.now(UTC),
        )  # fmt: skip
        click.echo(f"{made.name} issues from now on.")


@authority.command("take-in-list")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def take_in_list(file: Path) -> None:
    """Publish the root's next list that a ceremony signed."""
    with opened() as (session, _):
        made = crls_from_ceremony.take_in(session, file.read_bytes(), actor=_ACTOR)
        click.echo(f"List {made.number} of the root is published, valid until {made.next_update:%Y-%m-%d}.")


@authority.command("revoke")
@click.argument("name")
@click.option("--reason", type=click.Choice([one.name.lower() for one in authority_generations.REASONS]), required=True)
@_APPROVED_BY
def revoke(name: str, reason: str, approvers: tuple[str, ...]) -> None:
    """Put the certificate of the authority NAME on the root's list: nothing that it issued is valid any more."""
    with opened() as (session, _):
        approval = authority_generations.approved_by(session, approvers)
        authority_generations.revoke(
            session, name, reason=RevocationReason[reason.upper()], actor=_ACTOR, approval=approval,
            now=datetime.now(UTC),
        )  # fmt: skip
    click.echo(f"{name} is revoked. The root's list follows within seconds where the worker runs.")


@authority.command("publish")
@click.option("--all", "everything", is_flag=True, help="Every list, not only those that are behind or due.")
def publish(everything: bool) -> None:
    """Publish revocation lists now, without the worker."""
    with connected():
        if everything:
            with db.transaction() as session:
                crls.make_all_due(session, now=datetime.now(UTC))
        tasks.publish_due.func()
        with db.transaction() as session:
            refused = crls.refusals(session)
    for name, why in refused:
        click.echo(f"{name}: {why}", err=True)
    if refused:
        raise click.ClickException(f"{len(refused)} lists were refused.")
    click.echo("Every list is fresh.")


def _line(one: Authority) -> str:
    if one.revoked_at is not None:
        return f"{one.name}  revoked {one.revoked_at:%Y-%m-%d}"
    if one.retired_at is not None:
        return f"{one.name}  retired {one.retired_at:%Y-%m-%d}, its lists go on"
    if one.issuer_id is None:
        return f"{one.name}  the root"
    return f"{one.name}  issues until {authorities.issues_until(one):%Y-%m-%d}, {one.shards} lists"
