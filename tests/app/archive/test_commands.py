"""`kyvao archive`: how the archive stands, and renewing from the command line with processes of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select

from app.archive import runs
from app.archive.cli import archive
from app.archive.models import ArchiveRun
from app.core import db
from app.core.settings import Settings
from tests.app.archive.test_levels import entry
from tests.app.archive.test_renewal import HOUSE, archived, due, start
from tests.app.signing.conftest import Signer

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def kyvao(settings: Settings, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Callable[..., Result]:
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    monkeypatch.setenv("KYVAO_DATABASE_URL", database_url)
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", settings.status_internal_url)

    def run(*words: str) -> Result:
        result = CliRunner().invoke(archive, list(words))
        # The command closed the database of the test with its own.
        db.configure(database_url)
        return result

    return run


def test_what_is_due_is_counted_then_renewed_by_processes_of_the_command(
    sign_in: SignIn, minh: Signer, settings: Settings, kyvao: Callable[..., Result]
) -> None:
    paper = archived(sign_in("minh"), minh, settings, "paper")
    assert kyvao("status").exit_code == 0
    due(paper)
    counted = kyvao("status", "--json")
    assert (counted.exit_code, json.loads(counted.output)["due"]) == (1, 1)
    done = kyvao("renew", "--processes", "1")
    assert (done.exit_code, "1 of 1 renewed, 0 failed" in done.output) == (0, True), done.output
    assert entry(paper).checked_by == "pdfsig, qpdf"
    assert "Nothing is due." in kyvao("renew").output


def test_a_paused_renewal_is_not_gone_on_with_from_the_command_line(
    sign_in: SignIn, minh: Signer, settings: Settings, kyvao: Callable[..., Result]
) -> None:
    due(archived(sign_in("minh"), minh, settings, "paper"))
    run_id = start()
    with db.transaction() as session:
        runs.pause(session, HOUSE, run_id)
    assert kyvao("renew").exit_code == 1
    with db.transaction() as session:
        assert session.scalars(select(ArchiveRun.id)).all() == [run_id]


def test_a_day_ahead_may_be_named(
    sign_in: SignIn, minh: Signer, settings: Settings, kyvao: Callable[..., Result]
) -> None:
    archived(sign_in("minh"), minh, settings, "paper")
    soon = f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%d}"
    assert "Nothing is due." in kyvao("renew", "--before", soon).output
