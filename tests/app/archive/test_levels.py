"""A level rises by itself: material when nobody is expected any more, a timestamp where none was had."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID
from wsgiref.simple_server import WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

from flask.testing import FlaskClient
from sqlalchemy import select

from app.archive import service, tasks
from app.archive.models import ArchiveEntry, Failure
from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from app.documents.models import DocumentVersion, Level, MadeBy
from app.verification import service as verification
from pki.pades import proofs
from pki.pades.report import Verdict
from tests.app.documents.test_scope import ask
from tests.app.signing.conftest import Signer
from tests.factories.documents import signed, uploaded

SignIn = Callable[[str], FlaskClient]


def versions(document_id: UUID) -> list[DocumentVersion]:
    with db.transaction() as session:
        query = select(DocumentVersion).where(DocumentVersion.document_id == document_id)
        return list(session.scalars(query.order_by(DocumentVersion.number)))


def entry(document_id: UUID) -> ArchiveEntry:
    with db.transaction() as session:
        found = session.get(ArchiveEntry, document_id)
        assert found is not None
        return found


def newest_file(settings: Settings, document_id: UUID) -> bytes:
    return Storage(settings.data_dir / "objects").get(versions(document_id)[-1].sha256)


def test_the_last_expected_signature_is_followed_by_what_proves_it_for_years(
    sign_in: SignIn, minh: Signer, settings: Settings
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    signed(client, document_id, minh.certificate, minh.key)
    assert entry(document_id).wanted == Level.LONG_TERM
    assert tasks.raise_one(settings, document_id)
    made = versions(document_id)[-1]
    assert (made.made_by, made.level, made.signatures) == (MadeBy.PROOFS, Level.LONG_TERM, 1)
    found = proofs.read(BytesIO(newest_file(settings, document_id)))
    assert found.level == Level.LONG_TERM
    assert len(found.held.ocsps_der) == 2
    assert entry(document_id).pending_since is None
    assert entry(document_id).renew_by == found.renew_by


def test_nothing_is_added_twice(sign_in: SignIn, minh: Signer, settings: Settings) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    signed(client, document_id, minh.certificate, minh.key)
    assert tasks.raise_one(settings, document_id)
    assert not tasks.raise_one(settings, document_id)
    assert len(versions(document_id)) == 3


def silent(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    del environ
    start("503 Service Unavailable", [])
    return []


def test_a_signature_without_a_timestamp_gets_a_proof_of_time_as_soon_as_the_service_answers(
    sign_in: SignIn, minh: Signer, settings: Settings, status_server: WSGIServer
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    working = status_server.get_app()
    status_server.set_app(silent)
    signed(client, document_id, minh.certificate, minh.key)
    assert versions(document_id)[-1].timestamp_pending
    assert not tasks.raise_one(settings, document_id)
    failed = entry(document_id)
    assert failed.failure == Failure.SERVICE_SILENT
    assert (failed.try_at or datetime.now(UTC)) > datetime.now(UTC)
    assert "Dấu thời gian đang chờ" in client.get(f"/archive/documents/{document_id}").get_data(as_text=True)
    status_server.set_app(working)
    assert tasks.raise_one(settings, document_id)
    made = versions(document_id)[-1]
    assert (made.level, made.timestamp_pending) == (Level.ARCHIVE, False)
    assert entry(document_id).failure is None
    found = proofs.read(BytesIO(newest_file(settings, document_id)))
    assert (found.level, found.is_sealed_by_time) == (Level.ARCHIVE, True)


def test_what_failed_waits_twice_as_long_each_time_and_is_queued_again_after_that(
    sign_in: SignIn, minh: Signer
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    signed(client, document_id, minh.certificate, minh.key)
    at = datetime.now(UTC)
    waits = []
    for _ in range(3):
        with db.transaction() as session:
            service.note_failure(session, document_id, Failure.SERVICE_SILENT, now=at)
        waits.append((entry(document_id).try_at or at) - at)
    assert waits == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    with db.transaction() as session:
        assert service.pending(session, now=at + timedelta(seconds=119)) == []
        assert service.pending(session, now=at + timedelta(seconds=120)) == [document_id]


def test_a_paper_that_others_are_still_asked_to_sign_waits_with_its_material(
    sign_in: SignIn, minh: Signer, hanh: Signer, settings: Settings
) -> None:
    first, second = sign_in("minh"), sign_in("hanh")
    document_id = uploaded(first)
    assert ask(first, document_id, "hanh", "hanh") == 302
    signed(first, document_id, minh.certificate, minh.key)
    assert (entry(document_id).wanted, entry(document_id).pending_since) == (Level.TIMESTAMP, None)
    assert not tasks.raise_one(settings, document_id)
    signed(second, document_id, hanh.certificate, hanh.key, baseNumber=2, corner="bottom_left")
    assert entry(document_id).wanted == Level.LONG_TERM
    assert tasks.raise_one(settings, document_id)
    assert len(proofs.read(BytesIO(newest_file(settings, document_id))).held.ocsps_der) == 3


def test_poppler_and_our_check_accept_what_was_added(
    sign_in: SignIn, minh: Signer, settings: Settings, tmp_path: Path
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    signed(client, document_id, minh.certificate, minh.key)
    assert tasks.raise_one(settings, document_id)
    pdf = newest_file(settings, document_id)
    path = tmp_path / "raised.pdf"
    path.write_bytes(pdf)
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=False, text=True).stdout
    assert "Signature is Valid" in said
    with db.transaction() as session:
        evidence = verification.evidence(session, pdf)
    assert verification.check(pdf, evidence, now=datetime.now(UTC)).verdict is Verdict.VALID
