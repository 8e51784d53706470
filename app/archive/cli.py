"""`kyvao archive`: how the archive stands, and renewing what is due, from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from app.archive import listing, runner, runs
from app.archive.models import ArchiveRun, RunState
from app.core.command_line import connected
from app.core.db import transaction
from app.core.permissions import house

_day = click.DateTime(["%Y-%m-%d"])


@click.group("archive")
def archive() -> None:
    """Until when the proofs of stored documents hold, and renewing them."""


@archive.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> None:
    """Say how many documents are due, lack a proof, or failed, and in which months the rest is due.

    Exit code 1 if a document is overdue or its last attempt failed.
    """
    actor, now = house("archive command"), datetime.now(UTC)
    with connected(), transaction() as session:
        counts = listing.counts(session, actor, now=now)
        months = {f"{at:%Y-%m}": count for at, count in listing.months(session, actor)}
    facts = {
        "documents": counts.all,
        "due": counts.due,
        "pending": counts.pending,
        "failed": counts.failed,
        "checked": counts.checked,
    }
    if as_json:
        click.echo(json.dumps({**facts, "months": months}))
    else:
        for name, count in facts.items():
            click.echo(f"{name:10} {count}")
        for month, count in months.items():
            click.echo(f"  {month}  {count}")
    if counts.due or counts.failed:
        raise SystemExit(1)


@archive.command("renew")
@click.option("--before", type=_day, help="Renew what is due before this day; default: what is due now.")
@click.option("--processes", type=click.IntRange(1, 64), help="Default: one for each core.")
def renew(before: datetime | None, processes: int | None) -> None:
    """Renew everything that is due, and wait for its end. The services must be running: `status` has the clock."""
    now = datetime.now(UTC)
    with connected() as settings:
        with transaction() as session:
            run = runs.current(session) or runs.start(
                session, house("archive command"), due_before=before.replace(tzinfo=UTC) if before else now, now=now
            )
            if run is None:
                click.echo("Nothing is due.")
                return
            if run.state == RunState.PAUSED:
                raise click.ClickException("A renewal is paused. Resume it on the page of the archive.")
            run_id = run.id
        if not runner.work_off(settings, run_id, processes=processes):
            raise click.ClickException("The worker renews already. See its progress on the page of the archive.")
        with transaction() as session:
            done = runs.progress(session, session.get_one(ArchiveRun, run_id), now=datetime.now(UTC))
    click.echo(f"{done.done} of {done.total} renewed, {done.failed} failed, {done.rate:.1f} a second.")
    if done.failed:
        raise SystemExit(1)
