"""The pages of the archive: what is due, who may begin a renewal, and the answer about a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.archive.models import ArchiveEntry, ArchiveRun, RunState
from app.archive.renewal import Renewer
from app.core import db
from app.core.settings import Settings
from app.core.timestamping import timestamper
from tests.app.archive.test_renewal import archived, due
from tests.app.signing.conftest import Signer
from tests.factories.documents import plain_pdf, signed, uploaded
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def paper(sign_in: SignIn, minh: Signer, settings: Settings) -> UUID:
    return archived(sign_in("minh"), minh, settings, "Quyet dinh")


def post(client: FlaskClient, address: str, **fields: str) -> int:
    return client.post(address, data={"csrf_token": csrf_token(client, "/archive/"), **fields}).status_code


def run() -> ArchiveRun:
    with db.transaction() as session:
        return session.scalars(select(ArchiveRun)).one()


def test_an_administrator_sees_what_is_due_and_has_it_renewed(sign_in: SignIn, paper: UUID, settings: Settings) -> None:
    admin = sign_in("oanh")
    due(paper)
    page = admin.get("/archive/").get_data(as_text=True)
    assert "Đến hạn trong từng tháng" in page
    assert 'href="/archive/documents?shown=due">1</a>' in page
    assert post(admin, "/archive/runs", before=f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}") == 302
    assert "Đã gia hạn 0 trên 1 văn bản" in admin.get("/archive/progress").get_data(as_text=True)
    Renewer(settings, run().id, timestamper(settings), lambda: datetime.now(UTC)).run()
    assert run().state == RunState.DONE
    assert "pdfsig, qpdf" in admin.get(f"/archive/documents/{paper}").get_data(as_text=True)


def test_a_run_is_paused_and_resumed_once(sign_in: SignIn, paper: UUID) -> None:
    admin = sign_in("oanh")
    due(paper)
    post(admin, "/archive/runs", before=f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}")
    address = f"/archive/runs/{run().id}"
    assert post(admin, f"{address}/pause") == 302
    assert run().state == RunState.PAUSED
    assert post(admin, f"{address}/pause") == 409
    assert post(admin, f"{address}/resume") == 302
    assert post(admin, f"/archive/runs/{uuid4()}/resume") == 404


def test_nothing_is_begun_when_nothing_is_due_or_no_day_is_given(sign_in: SignIn, paper: UUID) -> None:
    del paper
    admin = sign_in("oanh")
    assert post(admin, "/archive/runs", before="2026-01-01") == 302
    assert post(admin, "/archive/runs", before="") == 422
    with db.transaction() as session:
        assert session.scalars(select(ArchiveRun)).all() == []


def test_an_official_sees_neither_the_archive_nor_begins_a_renewal(sign_in: SignIn, paper: UUID) -> None:
    del paper
    official = sign_in("minh")
    assert official.get("/archive/").status_code == 403
    token = csrf_token(official, "/documents/new")
    assert official.post("/archive/runs", data={"csrf_token": token, "before": "2030-01-01"}).status_code == 403


def test_a_document_is_shown_to_those_who_may_see_it_and_is_not_found_by_others(sign_in: SignIn, paper: UUID) -> None:
    assert sign_in("minh").get(f"/archive/documents/{paper}").status_code == 200
    assert sign_in("lan").get(f"/archive/documents/{paper}").status_code == 404


@pytest.mark.parametrize(
    ("years", "answer"), [(2, "vẫn kiểm tra được"), (30, "nếu được gia hạn trước ngày")], ids=["soon", "in decades"]
)
def test_whether_it_will_verify_on_a_day_is_answered_in_words(
    sign_in: SignIn, paper: UUID, years: int, answer: str
) -> None:
    day = datetime.now(UTC) + timedelta(days=365 * years)
    page = sign_in("minh").get(f"/archive/documents/{paper}?on={day:%Y-%m-%d}")
    assert page.status_code == 200
    assert answer in page.get_data(as_text=True)


def test_a_day_that_is_none_is_refused_in_words(sign_in: SignIn, paper: UUID) -> None:
    page = sign_in("minh").get(f"/archive/documents/{paper}?on=tomorrow")
    assert page.status_code == 422


def test_the_list_is_searched_without_accents_and_exported(sign_in: SignIn, minh: Signer, paper: UUID) -> None:
    client, admin = sign_in("minh"), sign_in("oanh")
    other = uploaded(client, plain_pdf("other"), title="=1+1")
    signed(client, other, minh.certificate, minh.key)
    found = admin.get("/archive/documents?q=quyet").get_data(as_text=True)
    assert str(paper) in found
    assert str(other) not in found
    lines = admin.get("/archive/documents.csv?shown=pending").get_data(as_text=True).splitlines()
    assert len(lines) == 2
    assert "'=1+1" in lines[1]
    assert "B-LTA" not in lines[1]


def test_a_paper_that_nobody_signed_has_nothing_to_prove(sign_in: SignIn, minh: Signer) -> None:
    del minh
    client = sign_in("minh")
    assert client.get(f"/archive/documents/{uploaded(client)}").status_code == 404
    with db.transaction() as session:
        assert session.scalars(select(ArchiveEntry)).all() == []
