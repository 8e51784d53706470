"""A level rises by itself: material when nobody is expected any more, a timestamp where none was had."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from app.archive import tasks
from app.archive.models import ArchiveEntry
from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from app.documents.models import DocumentVersion, Level, MadeBy
from pki.pades import proofs
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
