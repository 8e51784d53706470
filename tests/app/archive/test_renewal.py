"""Renewal in bulk: everything due gets a new proof, others judge it, and a run can be paused and watched."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pikepdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from app.archive import runs, service, tasks
from app.archive.models import ArchiveEntry, ArchiveRun, Failure, RunState
from app.archive.renewal import Renewer
from app.core import db
from app.core.errors import Conflict, Forbidden
from app.core.permissions import house
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.timestamping import timestamper
from app.documents.models import Level
from pki.pades import proofs
from tests.app.archive.test_levels import entry, newest_file, versions
from tests.app.signing.conftest import Signer
from tests.factories.certificates import actor
from tests.factories.documents import plain_pdf, signed, uploaded

SignIn = Callable[[str], FlaskClient]
HOUSE = house("test")


def now() -> datetime:
    return datetime.now(UTC)


def archived(client: FlaskClient, signer: Signer, settings: Settings, text: str) -> UUID:
    """Sign a paper and lift it to B-LTA."""
    document_id = uploaded(client, plain_pdf(text))
    signed(client, document_id, signer.certificate, signer.key)
    with db.transaction() as session:
        found = session.get_one(ArchiveEntry, document_id)
        found.wanted = Level.ARCHIVE
    assert tasks.raise_one(settings, document_id)
    assert entry(document_id).level == Level.ARCHIVE
    return document_id


def due(*document_ids: UUID) -> None:
    with db.transaction() as session:
        session.execute(
            update(ArchiveEntry)
            .where(ArchiveEntry.document_id.in_(document_ids))
            .values(renew_by=now() - timedelta(days=1))
        )


def start() -> UUID:
    with db.transaction() as session:
        run = runs.start(session, HOUSE, due_before=now(), now=now())
        assert run is not None
        return run.id


def work_off(settings: Settings, run_id: UUID, **details: int) -> None:
    Renewer(settings, run_id, timestamper(settings), now, **details).run()


def test_everything_due_gets_a_proof_that_programs_of_others_accept(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    papers = [archived(client, minh, settings, f"Paper {number}") for number in range(3)]
    due(*papers[:2])
    run_id = start()
    work_off(settings, run_id)
    for document_id in papers[:2]:
        found = proofs.open_file(BytesIO(newest_file(settings, document_id)))
        assert [one.is_document_timestamp for one in found.entries] == [False, True, True]
        assert entry(document_id).checked_by == "pdfsig, qpdf"
        assert (entry(document_id).renew_by or now()) > now() + timedelta(days=1000)
    assert len(versions(papers[2])) == 3
    with db.transaction() as session:
        run = session.get_one(ArchiveRun, run_id)
        progress = runs.progress(session, run, now=now())
    assert (run.state, progress.done, progress.failed, progress.percent) == (RunState.DONE, 2, 0, 100)


def test_a_paper_without_proofs_is_lifted_to_the_highest_level_when_it_is_due(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    signed(client, document_id, minh.certificate, minh.key)
    due(document_id)
    work_off(settings, start())
    assert entry(document_id).level == Level.ARCHIVE


def test_a_damaged_file_fails_alone_and_is_tried_once_in_a_run(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    good, bad = (archived(client, minh, settings, text) for text in ("good", "bad"))
    due(good, bad)
    path = Storage(settings.data_dir / "objects").path_of(versions(bad)[-1].sha256)
    path.write_bytes(path.read_bytes()[:-100])
    work_off(settings, start())
    assert entry(good).failure is None
    assert entry(bad).failure == Failure.FILE_REFUSED
    assert len(versions(bad)) == 3


def test_who_signs_meanwhile_wins_and_the_newest_version_comes_next(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    document_id = archived(client, minh, settings, "paper")
    due(document_id)
    run_id = start()

    def signs_first(request_der: bytes) -> bytes:
        if len(versions(document_id)) == 3:
            signed(client, document_id, minh.certificate, minh.key, baseNumber=3, corner="bottom_left")
        return timestamper(settings)(request_der)

    Renewer(settings, run_id, signs_first, now).run()
    assert versions(document_id)[-1].made_by == "signature"
    assert entry(document_id).level == Level.TIMESTAMP


def test_a_paused_run_does_nothing_until_it_goes_on(sign_in: SignIn, minh: Signer, settings: Settings) -> None:
    document_id = archived(sign_in("minh"), minh, settings, "paper")
    due(document_id)
    run_id = start()
    with db.transaction() as session:
        runs.pause(session, HOUSE, run_id)
    work_off(settings, run_id)
    assert len(versions(document_id)) == 3
    with db.transaction() as session:
        runs.resume(session, HOUSE, run_id)
    work_off(settings, run_id)
    assert len(versions(document_id)) == 4


def test_there_is_one_run_at_a_time_and_none_over_nothing(sign_in: SignIn, minh: Signer, settings: Settings) -> None:
    document_id = archived(sign_in("minh"), minh, settings, "paper")
    with db.transaction() as session:
        assert runs.start(session, HOUSE, due_before=now(), now=now()) is None
    due(document_id)
    run_id = start()
    with db.transaction() as session, pytest.raises(Conflict):
        runs.start(session, HOUSE, due_before=now(), now=now())
    with db.transaction() as session, pytest.raises(Conflict):
        runs.resume(session, HOUSE, run_id)


def test_only_an_administrator_of_the_whole_city_starts_a_run(minh: Signer) -> None:
    del minh
    with db.transaction() as session, pytest.raises(Forbidden):
        runs.start(session, actor("minh"), due_before=now(), now=now())


def test_what_another_program_does_not_accept_does_not_count_and_is_not_kept(
    sign_in: SignIn, minh: Signer, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = archived(sign_in("minh"), minh, settings, "paper")
    due(document_id)
    stored = {path.name for path in (settings.data_dir / "objects").rglob("*") if path.is_file()}
    program = tmp_path / "programs" / "pdfsig"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Signature #1:' 'Signature is Invalid.'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    work_off(settings, start())
    assert entry(document_id).failure == Failure.CHECK_FAILED
    assert len(versions(document_id)) == 3
    assert {path.name for path in (settings.data_dir / "objects").rglob("*") if path.is_file()} == stored


def test_a_paper_too_large_to_be_read_with_others_is_renewed_alone(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client, with_attachment(3 * 1024 * 1024))
    signed(client, document_id, minh.certificate, minh.key)
    due(document_id)
    work_off(settings, start())
    assert (entry(document_id).level, entry(document_id).checked_by) == (Level.ARCHIVE, "pdfsig, qpdf")
    due(document_id)
    work_off(settings, start())
    assert len(proofs.open_file(BytesIO(newest_file(settings, document_id))).entries) == 3


def with_attachment(size: int) -> bytes:
    """Return a PDF with a picture of so many octets that cannot be packed."""
    output = BytesIO()
    with pikepdf.open(BytesIO(plain_pdf())) as pdf:
        noise = random.Random(1).randbytes(size)
        picture = pdf.make_stream(noise, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=1024,
            Height=size // 1024, ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8)  # fmt: skip
        pdf.pages[0].obj.Resources.XObject = pikepdf.Dictionary(Im1=picture)
        pdf.save(output)
    return output.getvalue()


def queued(task: str) -> int:
    with db.transaction() as session:
        count = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'"
        return session.scalar(text(count), {"task": task}) or 0


def test_every_night_what_came_due_is_renewed_and_dates_that_are_missing_are_worked_out(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    old, fresh = (archived(sign_in("minh"), minh, settings, text) for text in ("old", "fresh"))
    due(old)
    with db.transaction() as session:
        session.get_one(ArchiveEntry, fresh).renew_by = None
    tasks.start_due.func(0)
    with db.transaction() as session:
        run = session.scalars(select(ArchiveRun)).one()
    assert (run.total, run.started_by) == (1, None)
    assert (entry(fresh).renew_by or now()) > now() + timedelta(days=1000)
    assert queued(runs.RUN_TASK) == 1
    tasks.start_due.func(0)
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(ArchiveRun)) == 1


def test_a_run_whose_worker_died_is_gone_on_with(
    sign_in: SignIn, minh: Signer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = archived(sign_in("minh"), minh, settings, "paper")
    due(document_id)
    run_id = start()
    with db.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        # Taken by a process that died: free again after its lease.
        taken = runs.take(session, run_id, count=5, now=now() - timedelta(hours=1))
        assert [one.document_id for one in taken] == [document_id]
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    tasks.tend.func(0)
    tasks.tend.func(0)
    assert queued(runs.RUN_TASK) == 1
    work_off(settings, run_id)
    assert len(versions(document_id)) == 4


def test_a_run_in_which_nothing_is_left_ends_though_nobody_works_on_it(
    sign_in: SignIn, minh: Signer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = archived(sign_in("minh"), minh, settings, "paper")
    due(document_id)
    run_id = start()
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    with db.transaction() as session:
        assert runs.take(session, run_id, count=5, now=now())
    tasks.tend.func(0)
    with db.transaction() as session:
        # Somebody may still work on what was taken.
        assert session.get_one(ArchiveRun, run_id).state == RunState.RUNNING
        session.execute(update(ArchiveEntry).values(leased_until=None, renew_by=now() + timedelta(days=900)))
    tasks.tend.func(0)
    with db.transaction() as session:
        assert session.get_one(ArchiveRun, run_id).state == RunState.DONE


def test_papers_whose_wait_is_over_are_queued_once(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    signed(client, uploaded(client), minh.certificate, minh.key)
    with db.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    tasks.try_again.func(0)
    tasks.try_again.func(0)
    assert queued(service.AUGMENT_TASK) == 1
