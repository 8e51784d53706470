"""`kill -9` on the way of a signature: afterwards there is the old revision, or one registered new one."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.core import db
from app.core.failpoints import VARIABLE
from app.core.settings import Settings
from app.core.storage import Storage
from app.documents.models import Document
from app.signing.models import SessionState, SigningSession
from tests.app.signing.conftest import Signer
from tests.factories.documents import answer_of, prepare, send_signature, uploaded

SignIn = Callable[[str], FlaskClient]
ENDED = -9


def ask(client: FlaskClient, city: Settings, path: str, body: dict[str, Any], *, point: str = "") -> Any:
    """Send the request from another process; return what was answered, or None if it died at the point."""
    cookie = client.get_cookie("kyvao")
    assert cookie is not None
    environ = {
        **os.environ,
        "KYVAO_DEMO": "1",
        "KYVAO_DATA": str(city.data_dir),
        "KYVAO_DATABASE_URL": city.database_url or "",
        "KYVAO_STATUS_INTERNAL_URL": city.status_internal_url,
        VARIABLE: f"{point}:kill" if point else "",
    }
    program = [sys.executable, "-m", "tests.app.signing.killed_request", cookie.value, path, json.dumps(body)]
    done = subprocess.run(program, env=environ, capture_output=True, check=False, text=True)
    if done.returncode == ENDED:
        return None
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def wish(signer: Signer) -> dict[str, Any]:
    return {
        "certificateSha256": signer.certificate.sha256,
        "baseNumber": 1,
        "page": 1,
        "corner": "bottom_right",
        "xMm": 20,
        "yMm": 40,
        "reason": None,
    }


def signature_of(signer: Signer, prepared: dict[str, Any]) -> dict[str, str]:
    value = answer_of(signer.key, base64.b64decode(prepared["signedAttributes"]))
    return {"signature": base64.b64encode(value).decode()}


def registered(document_id: UUID, city: Settings, folder: Path) -> list[int]:
    """Return how many signatures poppler finds valid in each version; every version has its file, whole."""
    storage, found = Storage(city.data_dir / "objects"), []
    with db.transaction() as session:
        versions = session.get_one(Document, document_id).versions
        for version in versions:
            path = folder / f"{version.number}.pdf"
            path.write_bytes(storage.get(version.sha256))
            assert path.stat().st_size == version.size
            said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=False, text=True)
            found.append(said.stdout.count("Signature is Valid"))
            assert found[-1] == version.signatures
    return found


def sessions(state: SessionState) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).where(SigningSession.state == state)) or 0


def entries(act: str) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).where(AuditEntry.act == act)) or 0


def test_killed_while_it_is_prepared_nothing_is_open_and_the_next_try_is_the_first(
    sign_in: SignIn, city: Settings, minh: Signer
) -> None:
    client = sign_in("minh")
    path = f"/documents/{uploaded(client)}/signatures"
    assert ask(client, city, path, wish(minh), point="sign.prepared") is None
    assert (sessions(SessionState.OPEN), entries("signature_prepared")) == (0, 0)
    assert ask(client, city, path, wish(minh))["status"] == 201
    assert (sessions(SessionState.OPEN), entries("signature_prepared")) == (1, 1)


def test_killed_at_any_point_there_is_the_old_revision_or_one_new_one_and_the_same_answer_finds_it(
    sign_in: SignIn, city: Settings, minh: Signer, tmp_path: Path
) -> None:
    client = sign_in("minh")
    document_id = uploaded(client)
    prepared = prepare(client, document_id, minh.certificate).get_json()
    path, answer = prepared["completeUrl"], signature_of(minh, prepared)
    for point in ("sign.finished", "storage.written_before_name", "sign.stored", "sign.before_commit"):
        assert ask(client, city, path, answer, point=point) is None
        assert registered(document_id, city, tmp_path) == [0]
        assert (sessions(SessionState.OPEN), entries("document_signed")) == (1, 0)
    # Committed, but nobody was told.
    assert ask(client, city, path, answer, point="sign.committed_before_reply") is None
    for _again in range(2):
        assert registered(document_id, city, tmp_path) == [0, 1]
        assert (sessions(SessionState.COMPLETED), entries("document_signed")) == (1, 1)
        assert send_signature(client, path, base64.b64decode(answer["signature"])).get_json()["number"] == 2
