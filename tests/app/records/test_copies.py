"""Certified copies: asked for, agreed to by another person, numbered and sealed once, and every way it is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from app.accounts.models import Account
from app.audit.models import AuditEntry
from app.certificates import revocations
from app.certificates.models import Certificate
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.failpoints import VARIABLE
from app.core.permissions import Role, house
from app.core.settings import Settings
from app.documents.models import Document, Level, MadeBy
from app.records import copies, registers, tasks
from app.records.issuing import NotIssued
from app.records.kinds import CopyForm
from app.records.models import CopyState, DocumentCopy, Entry
from app.records.words import Fault
from app.seals.models import SealUse
from app.verification import service as verification
from pki.keys import SoftwareKey
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import places_of
from pki.pades.report import Verdict
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.app.records.test_layout import grey
from tests.factories import copies as factory
from tests.factories import records, routes
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def letter(city: Settings, head: SoftwareKey) -> UUID:
    """An issued document, laid out as the decree asks."""
    route_id = records.signed_letter(city, head)
    records.issued(city, route_id, symbol="KH-SKHCN")
    return routes.route(route_id).document_ids[0]


def file_of(city: Settings, made: DocumentCopy, tmp_path: Path) -> Path:
    assert made.document_id is not None
    path = tmp_path / "copy.pdf"
    path.write_bytes(records.newest_file(city, made.document_id))
    return path


def said(*command: str | Path) -> str:
    return subprocess.run([str(one) for one in command], capture_output=True, check=True, text=True).stdout


def labels() -> list[str]:
    with db.transaction() as session:
        query = select(Entry.label).join(DocumentCopy, DocumentCopy.entry_id == Entry.id).order_by(Entry.number)
        return list(session.scalars(query))


def test_a_full_copy_says_what_it_is_at_the_top_right_and_bears_the_seal(
    city: Settings, letter: UUID, tmp_path: Path
) -> None:
    made = factory.certified(city, letter)
    path = file_of(city, made, tmp_path)
    signatures = said("pdfsig", "-nocert", path)
    assert signatures.count("Signature is Valid") == 1
    assert "Total document signed" in signatures
    said("qpdf", "--check", path)
    shown = said("pdftotext", "-layout", path, "-")
    assert "SAO Y số 01/SY-SKHCN" in shown
    assert "Sở Khoa học và Công nghệ" in shown
    assert re.search(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d \+07:00", shown)
    # The original's number stays readable below it.
    assert "KH-SKHCN" in shown
    with db.transaction() as session:
        pdf = path.read_bytes()
        report = verification.check(pdf, verification.evidence(session, pdf), now=routes.now())
    assert (report.verdict, len(report.signatures)) == (Verdict.VALID, 1)


def test_the_mark_is_black_upright_and_stands_within_seventy_millimetres_of_the_right_margin(
    city: Settings, letter: UUID, tmp_path: Path
) -> None:
    path = file_of(city, factory.certified(city, letter), tmp_path)
    (place,) = places_of(path.open("rb")).values()
    left, bottom, right, top = (one * 25.4 / 72 for one in place.rectangle)
    width, height = page_geometries(path.read_bytes())[0].shown_size_mm
    assert place.page == 1
    assert (right - left, top - bottom) == pytest.approx((70, 17), abs=0.1)
    assert width - right == pytest.approx(15, abs=0.1)
    assert height - top <= 8.1
    drawn = subprocess.run(["qpdf", "--qdf", "--object-streams=disable", path, "-"], capture_output=True, check=True)
    # Upright and black, in ten points.
    assert b"1 0 0 1 0 0 cm BT 0 0 0 rg /F1 10.000 Tf" in drawn.stdout


def test_a_copy_is_a_document_of_its_own_with_all_its_proofs_and_a_line_in_the_book(
    city: Settings, letter: UUID
) -> None:
    made = factory.certified(city, letter)
    with db.transaction() as session:
        document = session.get_one(Document, made.document_id)
        entry = session.get_one(Entry, made.entry_id)
        use = session.scalars(select(SealUse).where(SealUse.document_id == document.id)).unique().one()
        assert [one.made_by for one in document.versions] == [MadeBy.COPY, MadeBy.SEAL]
        assert document.newest.level == Level.ARCHIVE
        assert (entry.document_id, entry.version_id) == (document.id, document.newest.id)
        assert use.number == entry.label == "01/SY-SKHCN"
        assert document.title.startswith("Sao y 01/KH-SKHCN")
        acts = set(session.scalars(select(AuditEntry.act)))
    assert {"copy_asked", "copy_ordered", "copy_made"} <= acts


def test_copies_of_all_forms_count_together_and_an_extract_has_the_chosen_pages(
    city: Settings, letter: UUID, tmp_path: Path
) -> None:
    full = factory.certified(city, letter)
    extract = factory.certified(city, letter, CopyForm.EXTRACT, pages="1")
    assert full.document_id is not None
    again = factory.certified(city, full.document_id, CopyForm.OF_A_COPY)
    assert labels() == ["01/SY-SKHCN", "02/TrS-SKHCN", "03/SL-SKHCN"]
    assert "TRÍCH SAO số 02/TrS-SKHCN" in said("pdftotext", file_of(city, extract, tmp_path), "-")
    shown = said("pdftotext", file_of(city, again, tmp_path), "-")
    # Of a copy, both marks are to be read.
    assert "SAO LỤC số 03/SL-SKHCN" in shown
    assert "SAO Y số 01/SY-SKHCN" in shown


def test_a_copy_of_a_copy_is_made_of_a_full_copy_only(city: Settings, letter: UUID) -> None:
    extract = factory.certified(city, letter, CopyForm.EXTRACT, pages="1")
    assert extract.document_id is not None
    for document_id, form in ((letter, CopyForm.OF_A_COPY), (extract.document_id, CopyForm.FULL)):
        with pytest.raises(Invalid):
            factory.asked(document_id, form)


@pytest.mark.parametrize("pages", ["", "0", "2", "1-2", "một"])
def test_an_extract_of_pages_that_are_not_there_is_refused(city: Settings, letter: UUID, pages: str) -> None:
    with pytest.raises(Invalid):
        factory.asked(letter, CopyForm.EXTRACT, pages=pages)


def test_what_was_not_issued_is_not_copied(city: Settings, head: SoftwareKey) -> None:
    document_id = routes.paper(city)
    with pytest.raises(NotFound):
        factory.asked(document_id)


def test_asking_twice_is_one_request_and_agreeing_twice_one_number(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    assert factory.asked(letter) == copy_id
    assert factory.ordered(copy_id) is not None
    assert factory.ordered(copy_id) is not None
    assert factory.asked(letter) == copy_id
    for _again in range(2):
        tasks.copy.func(str(copy_id))
    assert factory.ordered(copy_id) is not None
    assert labels() == ["01/SY-SKHCN"]
    # After it is done, a new request is a new copy.
    assert factory.asked(letter) != copy_id


def test_who_asked_does_not_agree(city: Settings, letter: UUID) -> None:
    routes.official("van", "Đỗ Thị Vân", title="Văn thư", role=Role.CLERK)
    records.give_password("van")
    copy_id = factory.asked(letter)
    with db.transaction() as session:
        session.execute(update(DocumentCopy).values(asked_by=routes.person_of("van")))
    with pytest.raises(Conflict):
        factory.ordered(copy_id, by="van")
    assert factory.ordered(copy_id, by="thu") is not None


def test_another_agencys_people_find_neither_document_nor_copy(city: Settings, letter: UUID) -> None:
    routes.official("van", "Đỗ Thị Vân", agency="H99.03", title="Văn thư", role=Role.CLERK)
    records.give_password("van")
    copy_id = factory.asked(letter)
    with pytest.raises(NotFound):
        factory.asked(letter, by="van")
    with pytest.raises(NotFound):
        factory.ordered(copy_id, by="van")
    with pytest.raises(NotFound), db.transaction() as session:
        copies.decline(session, actor("van"), copy_id, reason="x", now=routes.now())


def test_an_official_who_is_no_clerk_does_not_agree(city: Settings, letter: UUID) -> None:
    records.give_password("hanh")
    copy_id = factory.asked(letter)
    with pytest.raises(NotFound):
        factory.ordered(copy_id, by="hanh")


def test_a_wrong_password_agrees_to_nothing(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    assert factory.ordered(copy_id, password="something else") is None
    assert factory.copy(copy_id).state == CopyState.ASKED


def test_a_proof_is_good_for_five_minutes_and_not_a_second_longer(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    moment = routes.now()
    factory.ordered(copy_id, at=moment)
    with pytest.raises(NotIssued) as refused:
        factory.made(city, copy_id, at=moment + timedelta(minutes=5, seconds=1))
    assert refused.value.fault is Fault.EXPIRED
    assert factory.made(city, copy_id, at=moment + timedelta(minutes=5)) is not None


def test_of_a_cancelled_document_nothing_is_copied_even_if_a_clerk_agreed_before(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    factory.ordered(copy_id)
    with db.transaction() as session:
        entry = session.scalars(select(Entry).where(Entry.document_id == letter)).one()
        registers.explain(session, actor("thu"), entry.id, explanation="Ban hành nhầm", now=routes.now())
    tasks.copy.func(str(copy_id))
    assert (labels(), factory.copy(copy_id).state) == ([], CopyState.ASKED)
    assert factory.copy(copy_id).fault == Fault.ORIGINAL_NOT_IN_FORCE
    for act in (lambda: factory.asked(letter), lambda: factory.ordered(copy_id)):
        with pytest.raises(Conflict):
            act()


def test_a_clerk_whose_role_was_taken_away_after_agreeing_seals_nothing(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    factory.ordered(copy_id)
    with db.transaction() as session:
        session.execute(update(Account).where(Account.login == "thu").values(disabled_at=routes.now()))
    tasks.copy.func(str(copy_id))
    assert (labels(), factory.copy(copy_id).fault) == ([], Fault.NOT_ALLOWED)


def test_a_copy_that_is_another_one_than_was_agreed_to_is_not_made(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter, CopyForm.EXTRACT, pages="1")
    factory.ordered(copy_id)
    with db.transaction() as session:
        session.execute(update(DocumentCopy).values(pages="1-2"))
    tasks.copy.func(str(copy_id))
    assert (labels(), factory.copy(copy_id).fault) == ([], Fault.COPY_CHANGED)


def test_a_revoked_seal_seals_no_copy(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    factory.ordered(copy_id)
    with db.transaction() as session:
        for seal in session.scalars(select(Certificate).where(Certificate.profile == ProfileName.AGENCY_SEAL)).unique():
            reason = RevocationReason.KEY_COMPROMISE
            revocations.revoke(session, house("test"), seal.id, reason=reason, now=routes.now())
    tasks.copy.func(str(copy_id))
    assert (labels(), factory.copy(copy_id).fault) == ([], Fault.NO_SEAL)


def test_with_a_silent_timestamp_service_the_copy_waits_and_is_made_later(
    city: Settings, letter: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_id = factory.asked(letter)
    factory.ordered(copy_id)
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", "http://127.0.0.1:9")
    with pytest.raises(NotIssued):
        tasks.copy.func(str(copy_id))
    assert (factory.copy(copy_id).state, factory.copy(copy_id).fault) == (CopyState.WAITING, Fault.NO_TIMESTAMP)
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", city.status_internal_url)
    tasks.copy.func(str(copy_id))
    assert labels() == ["01/SY-SKHCN"]


def test_a_page_without_a_free_strip_is_not_sealed_and_the_clerk_reads_where_room_is_missing(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    with records.started_as_in_web(city):
        route_id = routes.running(city, [records.HEAD])
    (document_id,) = routes.route(route_id).document_ids
    records.add_version(city, document_id, grey(), made_by=MadeBy.UPLOAD)
    records.sign(city, document_id, head)
    records.issued(city, route_id)
    copy_id = factory.asked(document_id)
    factory.ordered(copy_id)
    tasks.copy.func(str(copy_id))
    assert (labels(), factory.copy(copy_id).fault) == ([], Fault.NO_STRIP)
    assert "Trang 1 của bản sao không còn dải trống" in sign_in("thu").get(f"/copies/{copy_id}").get_data(as_text=True)


def test_killed_before_the_end_no_copy_exists_and_the_next_try_takes_one_number(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    factory.ordered(copy_id)
    for point in ("stamped", "proven", "copied"):
        program = (
            "import os; import app.models; from app.core import db; from app.records import tasks;"
            f"db.configure(os.environ['KYVAO_DATABASE_URL']); tasks.copy.func('{copy_id}')"
        )
        environment = {**os.environ, "KYVAO_DEMO": "1", VARIABLE: f"records.{point}:kill"}
        assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == -9
        with db.transaction() as session:
            assert session.scalar(select(func.count()).select_from(Document).where(Document.title.like("Sao y%"))) == 0
    tasks.copy.func(str(copy_id))
    assert labels() == ["01/SY-SKHCN"]


def test_a_declined_request_says_why_and_is_not_sealed(city: Settings, letter: UUID) -> None:
    copy_id = factory.asked(letter)
    for _again in range(2):
        with db.transaction() as session:
            copies.decline(session, actor("thu"), copy_id, reason="Không đúng mục đích", now=routes.now())
    with pytest.raises(Conflict):
        factory.ordered(copy_id)
    with pytest.raises(Conflict), db.transaction() as session:
        copies.decline(session, actor("thu"), copy_id, reason="khác", now=routes.now())


def test_a_cancelled_copy_stays_in_the_book_with_its_explanation(city: Settings, letter: UUID) -> None:
    made = factory.certified(city, letter)
    assert made.entry_id is not None
    with db.transaction() as session:
        registers.explain(session, actor("thu"), made.entry_id, explanation="Sao nhầm trang", now=routes.now())
    assert made.document_id is not None
    with pytest.raises(Conflict):
        factory.asked(made.document_id, CopyForm.OF_A_COPY)


def post(client: FlaskClient, address: str, *, page: str, **data: object) -> TestResponse:
    return client.post(address, data={"csrf_token": csrf_token(client, page), **data})


def test_a_copy_is_asked_for_and_sealed_by_forms_alone(city: Settings, letter: UUID, sign_in: SignIn) -> None:
    official = sign_in("minh")
    address = f"/copies/of/{letter}"
    assert "Bản sao có xác nhận của 01/KH-SKHCN" in official.get(address).get_data(as_text=True)
    answer = post(official, address, page=address, form="SY", purpose="Lưu hồ sơ")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    copy_page = answer.location
    assert "Chờ văn thư" in official.get(copy_page).get_data(as_text=True)
    clerk = sign_in("thu")
    assert "01/KH-SKHCN" in clerk.get("/records").get_data(as_text=True)
    page = clerk.get(copy_page).get_data(as_text=True)
    seal = re.search(r'name="seal"[^>]*value="([0-9a-f]{64})"', page)
    assert seal is not None
    wrong = post(clerk, f"{copy_page}/seal", page=copy_page, seal=seal[1], password="wrong")
    assert wrong.status_code == 422
    done = post(clerk, f"{copy_page}/seal", page=copy_page, seal=seal[1], password=records.PASSWORD)
    assert done.status_code == 302, done.get_data(as_text=True)
    tasks.copy.func(copy_page.rsplit("/", 1)[1])
    assert "01/SY-SKHCN" in official.get(copy_page).get_data(as_text=True)
    assert official.get(f"{copy_page}/file").data.startswith(b"%PDF")
    assert "01/SY-SKHCN" in official.get(address).get_data(as_text=True)


@pytest.mark.parametrize("data", [{}, {"form": "XX", "purpose": "x"}, {"form": "TrS", "purpose": "x", "pages": "99"}])
def test_a_form_that_cannot_be_used_is_answered_on_its_page(
    city: Settings, letter: UUID, sign_in: SignIn, data: dict[str, str]
) -> None:
    client, address = sign_in("minh"), f"/copies/of/{letter}"
    answer = post(client, address, page=address, **data)
    assert answer.status_code == 422
    assert "Bạn hãy xem lại" in answer.get_data(as_text=True) or "govuk-error-summary" in answer.get_data(as_text=True)


def test_the_pages_of_a_copy_are_closed_to_other_agencies(city: Settings, letter: UUID, sign_in: SignIn) -> None:
    copy_id = factory.asked(letter)
    routes.official("van", "Đỗ Thị Vân", agency="H99.03", title="Văn thư", role=Role.CLERK)
    client = sign_in("van")
    for address in (
        f"/copies/{copy_id}",
        f"/copies/{copy_id}/file",
        f"/copies/{copy_id}/original",
        f"/copies/{uuid4()}",
    ):
        assert client.get(address).status_code == 404
