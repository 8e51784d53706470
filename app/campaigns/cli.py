"""`kyvao campaign`: what the pages of campaigns do, from the command line, with a progress bar.

Whoever may run it on the server is trusted to name the officers who act: they stand in the log.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Final
from uuid import UUID

import click
from click._termui_impl import ProgressBar
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.campaigns import check_job, exports, invitations, progress, reconciling, runner, service, words
from app.campaigns.models import Campaign, CampaignState, Mode
from app.campaigns.progress import Progress
from app.campaigns.reading import LARGEST_FILE
from app.campaigns.service import Plan, UploadedFile
from app.core.command_line import connected
from app.core.db import transaction
from app.core.permissions import Actor, house
from app.core.settings import Settings
from app.core.storage import Storage
from app.registry.models import Agency
from pki.profiles import ProfileName

_PAUSE: Final = 0.5
_by = click.option("--by", required=True, help="Sign-in name of the officer who acts.")


@click.group("campaign")
def campaign() -> None:
    """Certificates for many people from one file."""


def _file_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        click.option("--title", help="What the campaign is called; without it, the name of the file."),
        click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default=Mode.INVITE.value),
        click.option(
            "--profile",
            type=click.Choice([name.value for name in service.PROFILES]),
            default=ProfileName.CITIZEN_SIGNING.value,
        ),
        click.option("--agency", help="Code of the agency; without it, the whole city."),
        click.option("--days", type=click.IntRange(1, 90), default=30, help="Days for which a link is good."),
        click.option("--letters", is_flag=True, help="Print a letter for everybody, send no e-mail."),
        _by,
    ):
        command = option(command)
    return command


@campaign.command("check")
@_file_options
def check(file: Path, by: str, **options: str | int | bool | None) -> None:
    """Make a campaign from FILE and check it here, row by row; nothing is issued."""
    with connected() as settings:
        campaign_id = _create(settings, file, by, options)
        failed: list[BaseException] = []
        with _in_background(lambda: check_job.run(settings, campaign_id, _now), failed) as worker:
            _bar_of_check(campaign_id, worker)
        if failed:
            raise failed[0]
        _tell_check(campaign_id)


@campaign.command("create")
@_file_options
def create(file: Path, by: str, **options: str | int | bool | None) -> None:
    """Make a campaign from FILE; `worker` checks it."""
    with connected() as settings:
        click.echo(_create(settings, file, by, options))


@campaign.command("start")
@click.argument("campaign_id", type=click.UUID)
@_by
@click.option("--approved-by", help="Sign-in name of the second officer; needed for more than 20 people.")
@click.option("--here", is_flag=True, help="Work it off in this command instead of in `worker`.")
def start(campaign_id: UUID, by: str, approved_by: str | None, here: bool) -> None:
    """Submit, approve and start a checked campaign."""
    with connected() as settings:
        with transaction() as session:
            _submit_and_approve(session, campaign_id, by, approved_by)
        with transaction() as session:
            service.start(session, _actor(session, by), campaign_id, now=_now())
        click.echo("The campaign is started.", err=True)
        if here:
            _work_off(settings, campaign_id)


@campaign.command("pause")
@click.argument("campaign_id", type=click.UUID)
@_by
def pause(campaign_id: UUID, by: str) -> None:
    """Take no further rows; what is under way is finished."""
    with connected(), transaction() as session:
        service.pause(session, _actor(session, by), campaign_id)
    click.echo("The campaign is paused.", err=True)


@campaign.command("resume")
@click.argument("campaign_id", type=click.UUID)
@_by
@click.option("--here", is_flag=True, help="Work it off in this command instead of in `worker`.")
def resume(campaign_id: UUID, by: str, here: bool) -> None:
    """Go on with a paused campaign, or with --here take up one whose worker died."""
    with connected() as settings:
        with transaction() as session:
            actor = _actor(session, by)
            if service.find_own(session, actor, campaign_id).state != CampaignState.RUNNING or not here:
                service.resume(session, actor, campaign_id)
        if here:
            _work_off(settings, campaign_id)


@campaign.command("stop")
@click.argument("campaign_id", type=click.UUID)
@_by
@click.option("--yes", is_flag=True, help="Do not ask.")
def stop(campaign_id: UUID, by: str, yes: bool) -> None:
    """End a campaign for good with rows left over."""
    with connected(), transaction() as session:
        found = service.find_own(session, _actor(session, by), campaign_id)
        left = found.rows_accepted - found.rows_done - found.rows_failed
        if not yes:
            click.confirm(f"“{found.title}”: {left:,} people would get nothing. Stop for good?", abort=True)
        service.stop(session, _actor(session, by), campaign_id, now=_now())
    click.echo("The campaign is stopped.", err=True)


@campaign.command("status")
@click.argument("campaign_id", type=click.UUID, required=False)
@click.option("--watch", is_flag=True, help="Show a bar until the campaign ends or is paused.")
def status(campaign_id: UUID | None, watch: bool) -> None:
    """Say how far a campaign is; without one, list them."""
    with connected():
        if campaign_id is None:
            _list()
            return
        if watch:
            _watch(campaign_id)
        _tell(campaign_id)


@campaign.command("result")
@click.argument("campaign_id", type=click.UUID)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A .csv or .xlsx file; else CSV here.")
def result(campaign_id: UUID, out: Path | None) -> None:
    """Write what became of each row."""
    with connected():
        with transaction() as session:
            _find(session, campaign_id)
        if out is None:
            for line in exports.csv_lines(campaign_id, exports.head()):
                click.echo(line, nl=False)
        elif out.suffix == ".xlsx":
            out.write_bytes(exports.xlsx(campaign_id, exports.head()))
        else:
            with out.open("w", encoding="utf-8", newline="") as file:
                file.writelines(exports.csv_lines(campaign_id, exports.head()))


@campaign.command("reconcile")
@click.argument("campaign_id", type=click.UUID)
def reconcile(campaign_id: UUID) -> None:
    """Count rows, certificates (or invitations) and log entries from their tables; fail if they differ."""
    with connected(), transaction() as session:
        _find(session, campaign_id)
        books = reconciling.reconcile(session, campaign_id)
        twice = reconciling.doubled(session, campaign_id)
    for name, count in (
        ("rows_accepted", books.accepted),
        ("made", books.made),
        ("log_entries", books.logged),
        ("passed_over", books.passed_over),
        ("abandoned_serials", books.abandoned),
        ("people_with_two", twice),
    ):
        click.echo(f"{name} {count}")
    if not books.agree or twice:
        raise click.exceptions.Exit(1)


def _create(settings: Settings, file: Path, by: str, options: dict[str, str | int | bool | None]) -> UUID:
    with file.open("rb") as stream:
        digest = Storage(settings.data_dir / "objects").put_stream(stream, largest=LARGEST_FILE)
    with transaction() as session:
        agency_id = None
        if code := options["agency"]:
            agency_id = session.scalar(select(Agency.id).where(Agency.code == str(code)))
            if agency_id is None:
                raise click.ClickException(f"There is no agency with the code {code}.")
        plan = Plan(
            str(options["title"] or file.stem),
            Mode(str(options["mode"])),
            ProfileName(str(options["profile"])),
            agency_id,
            int(options["days"] or 30),
            letters_only=bool(options["letters"]),
        )
        return service.create(session, _actor(session, by), plan, UploadedFile(file.name, digest), now=_now()).id


def _submit_and_approve(session: Session, campaign_id: UUID, by: str, approved_by: str | None) -> None:
    first = _actor(session, by)
    found = service.find_own(session, first, campaign_id)
    if found.state == CampaignState.APPROVED:
        return
    act = service.submit(session, first, campaign_id, now=_now())
    if act is None:
        return
    if approved_by is None:
        raise click.ClickException("More than 20 people need a second officer: give --approved-by.")
    second = _actor(session, approved_by)
    done = approvals.approve(session, second, act.id, digest=act.digest_hex, now=_now())
    if done.failure:
        raise click.ClickException(done.failure)


def _work_off(settings: Settings, campaign_id: UUID) -> None:
    with transaction() as session:
        mode = _find(session, campaign_id).mode

    def work() -> None:
        if mode == Mode.ISSUE:
            runner.work_off(settings, campaign_id)
        else:
            invitations.work_off(settings, campaign_id, _now)

    failed: list[BaseException] = []
    with _in_background(work, failed) as worker:
        _watch(campaign_id, while_alive=worker)
    if failed:
        raise failed[0]
    _tell(campaign_id)


@contextmanager
def _in_background(work: Callable[[], None], failed: list[BaseException]) -> Iterator[Thread]:
    """Run `work` beside the block; what it raises is found in `failed`."""

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  handed to the command, which raises it
            failed.append(error)

    worker = Thread(target=run, daemon=True)
    worker.start()
    yield worker
    worker.join()


def _bar_of_check(campaign_id: UUID, worker: Thread) -> None:
    with _bar(1000, "Checking") as bar:
        while worker.is_alive():
            with transaction() as session:
                bar.update(max(0, _find(session, campaign_id).check_permille - bar.pos))
            time.sleep(_PAUSE)


def _watch(campaign_id: UUID, *, while_alive: Thread | None = None) -> None:
    """Show a bar until the campaign does not run any more, or the work ends."""
    with transaction() as session:
        total = max(1, _find(session, campaign_id).rows_accepted)
    with _bar(total, "People") as bar:
        while True:
            with transaction() as session:
                found = _find(session, campaign_id)
                bar.update(max(0, found.rows_done + found.rows_failed - bar.pos))
            over = while_alive is not None and not while_alive.is_alive()
            if over or found.state not in (CampaignState.RUNNING, CampaignState.CHECKING):
                return
            time.sleep(_PAUSE)


def _bar(length: int, label: str) -> ProgressBar[int]:
    """Return a bar on standard error, so that standard output holds results only."""
    return click.progressbar(length=length, label=label, show_pos=True, show_percent=True, file=sys.stderr)


def _tell_check(campaign_id: UUID) -> None:
    with transaction() as session:
        found = _find(session, campaign_id)
        reasons = progress.rejected(session, campaign_id)
    click.echo(f"campaign {campaign_id}")
    if found.state == CampaignState.FAILED:
        sentence, detail = words.failure_words(found.failure)
        raise click.ClickException(f"{sentence} {detail}".strip())
    click.echo(f"accepted {found.rows_accepted}\nrejected {found.rows_rejected}")
    for one in reasons:
        first = ", ".join(str(row.number) for row in one.first)
        click.echo(f"  {one.count} {words.reason_word(one.reason)} (rows {first}{', …' if one.count > 5 else ''})")


def _tell(campaign_id: UUID) -> None:
    with transaction() as session:
        found = _find(session, campaign_id)
        now = progress.of_run(session, found, now=_now())
    click.echo(f"{found.title}: {words.STATES[found.state][0]}")
    click.echo(_figures(now))


def _figures(now: Progress) -> str:
    parts = [f"{now.done:,} done", f"{now.failed:,} passed over", f"{now.total:,} in all"]
    if now.rate > 0:
        parts.append(f"{now.rate:,.0f} a second")
    if now.left is not None:
        parts.append(f"{now.left.total_seconds() / 60:,.0f} minutes left")
    return ", ".join(parts)


def _list() -> None:
    with transaction() as session:
        for one in service.board(session, house("kyvao campaign")):
            done = one.rows_done + one.rows_failed
            click.echo(f"{one.id} {words.STATES[one.state][0]}: {one.title} ({done:,}/{one.rows_accepted:,})")


def _find(session: Session, campaign_id: UUID) -> Campaign:
    return service.find(session, house("kyvao campaign"), campaign_id)


def _actor(session: Session, login: str) -> Actor:
    account = accounts.find_account(session, login.strip().lower())
    if account is None:
        raise click.ClickException(f"There is no account {login}.")
    return accounts.actor_of(account)


def _now() -> datetime:
    return datetime.now(UTC)
