"""From the head's signature to the issued document: one number, one seal, one line in the book, or nothing at all."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image, ImageChops
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from app.accounts.models import Account
from app.accounts.step_up_models import StepUp
from app.archive.models import ArchiveEntry
from app.audit.models import AuditEntry
from app.certificates import revocations
from app.certificates.models import Certificate
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.failpoints import VARIABLE
from app.core.permissions import Role, house
from app.core.settings import Settings
from app.documents.models import Document, Level, MadeBy
from app.records import registers, tasks
from app.records.issuing import NotIssued
from app.records.kinds import Kind
from app.records.models import Entry, EntryState, IssueRequest, RequestState
from app.records.statement import Statement
from app.records.words import Fault
from app.routes.models import RouteState
from app.seals.models import SealUse
from app.verification import service as verification
from pki.keys import Curve, SoftwareKey
from pki.pades.report import Verdict
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories import records, routes
from tests.factories.certificates import issued_to


def entries() -> list[Entry]:
    with db.transaction() as session:
        return list(session.scalars(select(Entry).order_by(Entry.made_at, Entry.number)).unique())


def request(request_id: UUID) -> IssueRequest:
    with db.transaction() as session:
        return session.get_one(IssueRequest, request_id)


def ordered(city: Settings, route_id: UUID) -> UUID:
    made = records.order(city, route_id)
    assert made is not None
    return made.id


def test_an_issued_document_has_number_date_seal_and_a_line_in_the_book(
    city: Settings, head: SoftwareKey, tmp_path: Path
) -> None:
    route_id = records.signed_route(city, head)
    document_id = routes.route(route_id).document_ids[0]
    entry = records.issued(city, route_id)
    assert (entry.number, entry.label, entry.state) == (1, "01/QĐ-SKHCN", EntryState.ISSUED)
    assert routes.route(route_id).state == RouteState.ISSUED
    path = tmp_path / "issued.pdf"
    path.write_bytes(records.newest_file(city, document_id))
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=True, text=True).stdout
    assert said.count("Signature is Valid") == 2
    assert "Total document signed" in said
    shown = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, text=True).stdout
    assert "01/QĐ-SKHCN" in shown
    assert "ngày" in shown
    subprocess.run(["qpdf", "--check", str(path)], capture_output=True, check=True)
    with db.transaction() as session:
        newest = session.get_one(Document, document_id).newest
        use = session.scalars(select(SealUse)).unique().one()
        assert (newest.made_by, newest.signatures, newest.level) == (MadeBy.SEAL, 2, Level.ARCHIVE)
        assert (use.version_id, use.number) == (newest.id, "01/QĐ-SKHCN")
        assert use.step_up.used_at is not None
        assert session.get_one(ArchiveEntry, document_id).version_id == newest.id


def test_number_and_day_stand_in_the_blanks_of_an_official_letter(
    city: Settings, head: SoftwareKey, tmp_path: Path
) -> None:
    route_id = records.signed_letter(city, head)
    records.issued(city, route_id, kind=Kind.PLAN, symbol="KH-SKHCN")
    path = tmp_path / "letter.pdf"
    pdf = records.newest_file(city, routes.route(route_id).document_ids[0])
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, text=True)
    shown = " ".join(done.stdout.split())
    assert "Số: 01/KH-SKHCN" in shown.replace("01 /", "01/")
    day = registers.today(routes.now())
    with db.transaction() as session:
        evidence = verification.evidence(session, pdf)
    report = verification.check(pdf, evidence, now=routes.now())
    assert (report.verdict, len(report.signatures)) == (Verdict.VALID, 2)
    assert f"ngày {day:%d} tháng {day.month if day.month > 2 else f'0{day.month}'} năm {day.year}" in shown


def test_the_seal_stands_in_red_and_in_its_true_size_over_the_left_third_of_the_signature(
    city: Settings, head: SoftwareKey, tmp_path: Path
) -> None:
    records.give_seal_picture("H99.02", diameter_mm=35.0)
    route_id = records.signed_letter(city, head)
    records.issued(city, route_id, kind=Kind.PLAN, symbol="KH-SKHCN")
    path = tmp_path / "sealed.pdf"
    path.write_bytes(records.newest_file(city, routes.route(route_id).document_ids[0]))
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", str(path), str(tmp_path / "sealed")], check=True)
    with Image.open(tmp_path / "sealed.png") as page:
        reds = page.convert("RGB").point(lambda level: 255 if level > 150 else 0).split()
    red = ImageChops.subtract(reds[0], ImageChops.lighter(reds[1], reds[2])).getbbox()
    assert red is not None
    millimetres = [side * 25.4 / 150 for side in (red[2] - red[0], red[3] - red[1])]
    assert millimetres == pytest.approx([35.0, 35.0], abs=0.5)


def test_a_symbol_other_than_the_printed_one_is_refused(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_letter(city, head)
    with pytest.raises(Invalid):
        records.order(city, route_id, symbol="QĐ-SKHCN")


def test_every_paper_of_an_envelope_is_sealed_under_one_number(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head, papers=2)
    records.issued(city, route_id)
    assert [entry.number for entry in entries()] == [1]
    with db.transaction() as session:
        uses = session.scalars(select(SealUse)).unique().all()
        assert {use.document_id for use in uses} == set(routes.route(route_id).document_ids)
        assert {use.number for use in uses} == {"01/QĐ-SKHCN"}


def test_a_paper_without_places_is_sealed_in_a_corner(city: Settings, head: SoftwareKey, tmp_path: Path) -> None:
    route_id = records.signed_route(city, head, in_fields=False)
    records.issued(city, route_id)
    path = tmp_path / "issued.pdf"
    path.write_bytes(records.newest_file(city, routes.route(route_id).document_ids[0]))
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=True, text=True).stdout
    assert said.count("Signature is Valid") == 2


def test_numbers_follow_each_other_and_each_kind_counts_for_itself(city: Settings, head: SoftwareKey) -> None:
    for changes in ({}, {"kind": Kind.LETTER, "symbol": "SKHCN-VP"}, {}):
        records.issued(city, records.signed_route(city, head), **changes)
    assert [entry.label for entry in entries()] == ["01/QĐ-SKHCN", "01/SKHCN-VP", "02/QĐ-SKHCN"]


def test_killed_at_any_point_nothing_is_issued_and_the_next_try_takes_exactly_one_number(
    city: Settings, head: SoftwareKey
) -> None:
    route_id = records.signed_route(city, head)
    request_id, document_id = ordered(city, route_id), routes.route(route_id).document_ids[0]
    before = records.newest_file(city, document_id)
    for point in ("numbered", "stamped", "proven", "sealed", "entered", "before_commit"):
        run_and_die(request_id, f"records.{point}:kill")
        assert entries() == []
        assert records.newest_file(city, document_id) == before
        assert routes.route(route_id).state == RouteState.SIGNED
    # Dead after the commit: the queue runs it again, and finds it done.
    run_and_die(request_id, "records.committed:kill")
    for _again in range(2):
        assert [entry.number for entry in entries()] == [1]
        assert request(request_id).state == RequestState.DONE
        tasks.issue.func(str(request_id))


def run_and_die(request_id: UUID, order: str) -> None:
    """Carry the order out in a process that ends itself at a point."""
    program = (
        "import os; import app.models; from app.core import db; from app.records import tasks;"
        "db.configure(os.environ['KYVAO_DATABASE_URL']);"
        f"tasks.issue.func('{request_id}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "KYVAO_DEMO": "1", VARIABLE: order}, check=False
    )
    assert done.returncode == -9


def test_with_a_silent_timestamp_service_nothing_is_issued_and_the_clerk_reads_why(
    city: Settings, head: SoftwareKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = ordered(city, records.signed_route(city, head))
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", "http://127.0.0.1:9")
    with pytest.raises(NotIssued):
        tasks.issue.func(str(request_id))
    assert entries() == []
    assert (request(request_id).state, request(request_id).fault) == (RequestState.WAITING, Fault.NO_TIMESTAMP)
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", city.status_internal_url)
    tasks.issue.func(str(request_id))
    assert [entry.number for entry in entries()] == [1]


def test_a_wrong_password_orders_nothing_and_is_written_down(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    assert records.order(city, route_id, password="something else") is None
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(IssueRequest)) == 0
        assert (
            session.scalars(select(AuditEntry.act).order_by(AuditEntry.id.desc()).limit(1)).one() == "step_up_refused"
        )


def test_a_second_order_while_one_waits_is_the_first_one(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    assert ordered(city, route_id) == ordered(city, route_id)


def test_a_proof_is_good_for_five_minutes_and_not_a_second_longer(city: Settings, head: SoftwareKey) -> None:
    request_id = ordered(city, records.signed_route(city, head))
    asked_at = request(request_id).asked_at
    with pytest.raises(NotIssued) as refused:
        records.issue(city, request_id, at=asked_at + timedelta(minutes=5, seconds=1))
    assert refused.value.fault is Fault.EXPIRED
    assert records.issue(city, request_id, at=asked_at + timedelta(minutes=5)) is not None


def test_a_number_is_not_dated_on_another_day(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    day = records.wish(route_id).issued_on
    for other in (day - timedelta(days=1), day + timedelta(days=1)):
        with pytest.raises(Conflict):
            records.order(city, route_id, issued_on=other)


def test_what_the_head_did_not_sign_validly_is_not_issued(city: Settings, head: SoftwareKey) -> None:
    with records.started_as_in_web(city):
        route_id = routes.running(city, [records.HEAD])
    # The route says that the head signed; the file carries nothing.
    routes.sign(route_id, "hanh")
    with pytest.raises(Conflict):
        records.order(city, route_id)


def test_a_signature_by_another_person_in_the_heads_place_is_not_enough(city: Settings, head: SoftwareKey) -> None:
    other = SoftwareKey.generate(Curve.P256)
    issued_to("minh", other)
    with records.started_as_in_web(city):
        route_id = routes.running(city, [records.HEAD])
    records.sign(city, routes.route(route_id).document_ids[0], other, with_certificate_of="minh")
    with pytest.raises(Conflict):
        records.order(city, route_id)


def test_papers_that_changed_after_the_order_are_not_sealed(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    request_id = ordered(city, route_id)
    records.add_version(
        city,
        routes.route(route_id).document_ids[0],
        records.newest_file(city, routes.route(route_id).document_ids[0]) + b"\n%%EOF\n",
    )
    tasks.issue.func(str(request_id))
    assert entries() == []
    assert (request(request_id).state, request(request_id).fault) == (RequestState.REFUSED, Fault.ROUTE_CHANGED)


def test_a_clerk_whose_role_was_taken_away_after_the_order_issues_nothing(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    request_id = ordered(city, route_id)
    with db.transaction() as session:
        session.execute(update(Account).where(Account.login == "thu").values(disabled_at=routes.now()))
    tasks.issue.func(str(request_id))
    assert (entries(), request(request_id).fault) == ([], Fault.NOT_ALLOWED)


def test_a_revoked_seal_seals_nothing(city: Settings, head: SoftwareKey) -> None:
    request_id = ordered(city, records.signed_route(city, head))
    with db.transaction() as session:
        seals = session.scalars(select(Certificate).where(Certificate.profile == ProfileName.AGENCY_SEAL)).unique()
        reason = RevocationReason.KEY_COMPROMISE
        for seal in seals:
            revocations.revoke(session, house("test"), seal.id, reason=reason, now=routes.now())
    tasks.issue.func(str(request_id))
    assert (entries(), request(request_id).fault) == ([], Fault.NO_SEAL)


def test_a_statement_that_was_altered_in_the_database_is_refused(city: Settings, head: SoftwareKey) -> None:
    ordered(city, records.signed_route(city, head))
    with pytest.raises(DBAPIError), db.transaction() as session:
        session.execute(update(StepUp).values(statement="{}"))


def test_a_statement_is_read_as_it_was_written(city: Settings, head: SoftwareKey) -> None:
    ordered(city, records.signed_route(city, head))
    with db.transaction() as session:
        written = session.scalars(select(StepUp.statement)).one()
    assert Statement.from_json(written).to_json() == written


def test_another_agencys_clerk_does_not_find_the_route(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    routes.official("van", "Đỗ Thị Vân", agency="H99.03", title="Văn thư", role=Role.CLERK)
    records.give_password("van")
    with pytest.raises(NotFound):
        records.order(city, route_id, by="van")


def test_a_symbol_that_is_none_is_refused(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    with pytest.raises(Invalid):
        records.order(city, route_id, symbol="QĐ/../x")
