"""`kill -9` on the way of a renewal: afterwards there is the old version, or one registered new one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app.archive.models import ArchiveEntry, ArchiveRun, RunState
from app.audit.models import AuditEntry
from app.core import db
from app.core.failpoints import VARIABLE
from app.core.settings import Settings
from tests.app.archive.test_levels import newest_file, versions
from tests.app.archive.test_renewal import archived, due, start
from tests.app.signing.conftest import Signer

SignIn = Callable[[str], FlaskClient]


def work_off(settings: Settings, run_id: UUID, *, point: str = "") -> int:
    """Renew in a process of its own, which may die at a point; return how it ended."""
    environ = os.environ | {
        "KYVAO_DEMO": "1",
        "KYVAO_DATABASE_URL": settings.database_url or "",
        "KYVAO_DATA": str(settings.data_dir),
        "KYVAO_STATUS_INTERNAL_URL": settings.status_internal_url,
        VARIABLE: f"{point}:kill" if point else "",
    }
    command = [sys.executable, "-m", "app.archive_process", str(run_id)]
    return subprocess.run(command, env=environ, check=False, capture_output=True).returncode


def renewals_noted() -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).where(AuditEntry.act == "archive_renewed")) or 0


def test_killed_at_any_point_the_old_version_stays_and_the_next_try_adds_exactly_one(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    papers = [archived(client, minh, settings, f"Paper {number}") for number in range(2)]
    due(*papers)
    before = [newest_file(settings, document_id) for document_id in papers]
    run_id = start()
    for point in ("archive.taken", "archive.checked", "archive.before_commit"):
        assert work_off(settings, run_id, point=point) == -9
        assert [newest_file(settings, document_id) for document_id in papers] == before
        assert renewals_noted() == 0
        with db.transaction() as session:
            # As if the ten minutes had passed for which the dead process had taken them.
            session.execute(update(ArchiveEntry).values(leased_until=None))
    assert work_off(settings, run_id) == 0
    for document_id, old in zip(papers, before, strict=True):
        assert [one.number for one in versions(document_id)] == [1, 2, 3, 4]
        assert newest_file(settings, document_id).startswith(old)
    with db.transaction() as session:
        assert session.get_one(ArchiveRun, run_id).state == RunState.DONE
    assert renewals_noted() == 1
