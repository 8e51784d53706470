"""`kyvao campaign` from a file to reconciled books, and the purge of what is long over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.campaigns import invitations, retention, tokens
from app.campaigns.cli import campaign as command
from app.campaigns.models import CampaignState, Mode, Row
from app.cli import main
from app.core import db
from app.core.errors import NotFound
from app.core.settings import Settings
from pki.keys import Curve, SoftwareKey
from tests.factories import campaign_files as files
from tests.factories.campaign_files import HEAD, campaign, checked, csv_of, people, person
from tests.factories.officers import officer

Run = Callable[..., Result]


@pytest.fixture
def run(city: Settings) -> Run:
    def call(*arguments: object) -> Result:
        done = CliRunner().invoke(command, [str(one) for one in arguments])
        # A command closes the connections of its process, which here is the test's.
        db.configure(city.database_url or "")
        return done

    return call


def made_by(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.stdout.split("campaign ", 1)[1].split()[0]


def test_a_campaign_runs_from_the_command_line_to_books_that_agree(city: Settings, run: Run, tmp_path: Path) -> None:
    officer("tam", None)
    path = tmp_path / "phuong.csv"
    rows = [[*person(order), files.request_text(SoftwareKey.generate(Curve.P256))] for order in range(1, 26)]
    path.write_bytes(csv_of([*rows, rows[0]], head=(*HEAD, "CSR")))
    done = run("check", path, "--mode", "issue", "--by", "dung")
    made = made_by(done)
    assert "accepted 25" in done.stdout
    assert "rejected 1" in done.stdout
    assert "in the file twice (rows 26)" in done.stdout
    refused = run("start", made, "--by", "dung")
    assert refused.exit_code == 1
    assert "--approved-by" in refused.output
    started = run("start", made, "--by", "dung", "--approved-by", "tam", "--here")
    assert started.exit_code == 0, started.output
    assert "25 done" in started.stdout
    books = run("reconcile", made)
    assert books.exit_code == 0, books.output
    assert "rows_accepted 25\nmade 25\nlog_entries 25\n" in books.stdout
    result = run("result", made)
    assert result.stdout.count("Certificate issued") == 25
    assert "Finished" in run("status", made).stdout
    assert made in run("status").stdout


def test_one_officer_cannot_be_both(city: Settings, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "phuong.csv"
    path.write_bytes(csv_of(people(21)))
    made = made_by(run("check", path, "--by", "dung"))
    refused = run("start", made, "--by", "dung", "--approved-by", "dung")
    assert refused.exit_code == 1
    with db.transaction() as session:
        from uuid import UUID

        from app.campaigns.models import Campaign

        assert session.get_one(Campaign, UUID(made)).state == CampaignState.CHECKED


def test_books_that_differ_end_in_a_failure(city: Settings, run: Run, tmp_path: Path) -> None:
    made = checked(city, csv_of(people(2)))
    assert run("start", made, "--by", "dung", "--here").exit_code == 0
    with db.transaction() as session:
        session.delete(invitations.of_row(session, made, 2))
    books = run("reconcile", made)
    assert books.exit_code == 1
    assert "rows_accepted 2\nmade 1" in books.stdout


def test_a_file_that_is_no_list_is_said_so(city: Settings, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xff\xff")
    done = run("check", path, "--by", "dung")
    assert done.exit_code == 1
    assert "UTF-8" in done.output


def test_the_group_is_part_of_kyvao() -> None:
    assert "Certificates for many people" in CliRunner().invoke(main, ["--help"]).output


def test_ninety_days_after_the_end_the_people_are_forgotten_and_the_counts_stay(city: Settings) -> None:
    made = checked(city, csv_of([*people(2), person(1)]), mode=Mode.INVITE)
    from app.campaigns import service, tasks
    from tests.factories.certificates import actor

    with db.transaction() as session:
        service.submit(session, actor("dung"), made, now=files.now())
        service.start(session, actor("dung"), made, now=files.now())
    tasks.run.func(str(made))
    ended = campaign(made).finished_at
    assert ended is not None
    with db.transaction() as session:
        assert retention.due(session, now=ended + retention.KEPT - timedelta(seconds=1)) == []
        assert retention.due(session, now=ended + retention.KEPT) == [made]
        assert retention.purge(session, made, now=ended + retention.KEPT) == 3
        assert retention.purge(session, made, now=ended + retention.KEPT) == 0
    for row in files.rows(made):
        assert _personal(row) == [None] * 6
    assert [row.reason for row in files.rows(made)] == [None, None, "twice_in_file"]
    assert (campaign(made).rows_accepted, campaign(made).rows_done) == (2, 2)
    with db.transaction() as session:
        found = invitations.of_row(session, made, 1)
    with pytest.raises(NotFound):
        tokens.open_sealed(city, found.id, found.token_sealed)


def _personal(row: Row) -> list[object]:
    return [row.surname, row.given_name, row.email, row.number_index, row.tail_index, row.csr_der]
