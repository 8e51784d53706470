"""`kyvao certificates`: ending many certificates from the command line, on a day when pages are too slow."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import BinaryIO, Final
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.certificates import bulk_revocation
from app.certificates.bulk_revocation import Wish
from app.certificates.life_models import BulkKind, BulkRevocation, Finding
from app.core import db
from app.core.command_line import connected
from app.core.failpoints import reach
from app.core.permissions import Actor, Permission, house
from pki.revocation import RevocationReason, RevokedBy, allowed_reasons

_PEOPLE: Final = 2
_SAYS: Final = {
    Finding.READY: "to be done",
    Finding.UNREADABLE: "not a serial number",
    Finding.NOT_FOUND: "not found",
    Finding.TWICE: "on the list twice",
    Finding.ALREADY: "in another state already",
    Finding.ENDED: "ended by time",
    Finding.OWN: "of the person who asks",
}
_REASONS: Final = [one.name.lower() for one in allowed_reasons(RevokedBy.ADMINISTRATOR)]
_serials = click.option(
    "--serials",
    type=click.File("rb"),
    required=True,
    help="One serial number a line, or a CSV with them first; - reads.",
)
_people = click.option(
    "--approved-by",
    "logins",
    multiple=True,
    required=True,
    help="Login of an administrator; give it twice: the first asks, the second approves.",
)
_dry = click.option("--dry-run", is_flag=True, help="Only say what was found.")


@click.group("certificates")
def certificates() -> None:
    """Revoke, suspend and release certificates by a list."""


@certificates.command("revoke")
@_serials
@click.option("--reason", type=click.Choice(_REASONS), required=True, help="certificate_hold suspends.")
@click.option("--since", type=click.DateTime(), help="UTC; since when the key is thought to be lost.")
@_people
@_dry
def revoke(serials: BinaryIO, reason: str, since: datetime | None, logins: tuple[str, ...], dry_run: bool) -> None:
    """Revoke every certificate on a list for good."""
    code = RevocationReason[reason.upper()]
    hold = code is RevocationReason.CERTIFICATE_HOLD
    lost = since.replace(tzinfo=UTC) if since else None
    _carry_out(serials, Wish(BulkKind.SUSPEND) if hold else Wish(BulkKind.REVOKE, code, lost), logins, dry_run)


@certificates.command("release")
@_serials
@_people
@_dry
def release(serials: BinaryIO, logins: tuple[str, ...], dry_run: bool) -> None:
    """Release every suspended certificate on a list."""
    _carry_out(serials, Wish(BulkKind.RELEASE), logins, dry_run)


@certificates.command("go-on")
@click.argument("list_id", type=click.UUID)
def go_on(list_id: UUID) -> None:
    """Go on with an approved list that was interrupted, without waiting for the worker."""
    with connected():
        _work_off(list_id)


def _carry_out(serials: BinaryIO, wish: Wish, logins: tuple[str, ...], dry_run: bool) -> None:
    text = _read(serials)
    with connected():
        with db.transaction() as session:
            asks, approves = _people_of(session, logins)
            bulk = bulk_revocation.draft_list(session, asks, text, wish, now=datetime.now(UTC))
            for finding, count in bulk_revocation.findings(session, bulk).items():
                click.echo(f"{count:>8}  {_SAYS[finding]}")
            if dry_run:
                session.rollback()
                click.echo("Nothing was changed.")
                return
            act = bulk_revocation.submit(session, asks, bulk.id, now=datetime.now(UTC))
            done = _approve(session, approves, act)
        if done.state != ActState.EXECUTED:
            raise click.ClickException(f"The list {bulk.id} waits for more people among the approvals.")
        _work_off(bulk.id)


def _approve(session: Session, actor: Actor, act: Act) -> Act:
    return approvals.approve(session, actor, act.id, digest=act.digest_hex, now=datetime.now(UTC))


def _work_off(bulk_id: UUID) -> None:
    actor = house("kyvao certificates")
    with db.transaction() as session:
        bulk = _bulk(session, bulk_id)
    with click.progressbar(length=bulk.ready, label="Certificates", file=sys.stderr) as bar:
        done, more = 0, True
        while more:
            with db.transaction() as session:
                more = bulk_revocation.work_off(session, actor, bulk_id, now=datetime.now(UTC))
                bulk = _bulk(session, bulk_id)
            reach("revoke.committed_before_publish")
            bar.update(bulk.changed + bulk.skipped - done)
            done = bulk.changed + bulk.skipped
    click.echo(f"{bulk.changed} changed, {bulk.skipped} had changed meanwhile. List {bulk.id}.")


def _bulk(session: Session, bulk_id: UUID) -> BulkRevocation:
    found = session.get(BulkRevocation, bulk_id)
    if found is None:
        raise click.ClickException("There is no such list.")
    return found


def _people_of(session: Session, logins: tuple[str, ...]) -> tuple[Actor, Actor]:
    if len(set(logins)) != _PEOPLE:
        raise click.UsageError("Name two different administrators with --approved-by.")
    actors = []
    for login in logins:
        account = accounts.find_account(session, login.strip().lower())
        if account is None or not accounts.actor_of(account).may(Permission.REVOKE_CERTIFICATES):
            raise click.ClickException(f"{login} is not an administrator.")
        actors.append(accounts.actor_of(account))
    return actors[0], actors[1]


def _read(serials: BinaryIO) -> str:
    try:
        return serials.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException("The file is not text.") from error
