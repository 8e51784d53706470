"""What people do behind their link, and that each ends with one invitation and one certificate."""

from __future__ import annotations

import base64
import io
import json
import multiprocessing
import re
import subprocess
from pathlib import Path
from uuid import UUID

import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.audit.models import AuditEntry
from app.campaigns import invitations, letters, service, tasks, tokens
from app.campaigns.models import CampaignState, Invitation, Outcome
from app.certificates import tasks as certificate_tasks
from app.certificates.models import Certificate, CertificateState
from app.core import db, failpoints
from app.core.errors import Conflict, NotFound
from app.core.settings import Settings
from app.notices.models import Notice, NoticeState
from pki.keys import Curve, SoftwareKey
from tests.factories import campaign_files as files
from tests.factories.campaign_files import campaign, checked, csv_of, people, person
from tests.factories.certificates import actor
from tests.factories.csrs import csr_der


def started(city: Settings, rows: list[list[str]], **arguments: object) -> UUID:
    made = checked(city, csv_of(rows), **arguments)
    with db.transaction() as session:
        service.submit(session, actor("dung"), made, now=files.now())
        service.start(session, actor("dung"), made, now=files.now())
    return made


def invited(city: Settings, rows: list[list[str]], **arguments: object) -> UUID:
    made = started(city, rows, **arguments)
    tasks.run.func(str(made))
    return made


def path_of(city: Settings, campaign_id: UUID, row: int = 1) -> str:
    with db.transaction() as session:
        found = invitations.of_row(session, campaign_id, row)
        return f"/enrol/{tokens.open_sealed(city, found.id, found.token_sealed)}"


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(r'"token": "([^"]+)"', page)
    assert found, page
    return found.group(1)


def answer(browser: FlaskClient, path: str, digits: str) -> TestResponse:
    page = browser.get(f"{path}?step=who").get_data(as_text=True)
    return browser.post(path, data={"csrf_token": token_in(page), "digits": digits})


def block(page: str) -> dict[str, str]:
    found = re.search(r'id="certificate-request"[^>]*>\s*(\{.*?\})\s*</script>', page, re.DOTALL)
    assert found, page
    read = json.loads(found.group(1))
    assert isinstance(read, dict)
    return read


def send(browser: FlaskClient, path: str, key: SoftwareKey, challenge: str | None = None) -> TestResponse:
    """Do what the page's script does."""
    facts = block(browser.get(path).get_data(as_text=True))
    return _send(browser, facts, key, challenge or facts["challenge"])


def _send(browser: FlaskClient, facts: dict[str, str], key: SoftwareKey, challenge: str) -> TestResponse:
    return browser.post(
        facts["submit"],
        json={"csr": base64.b64encode(csr_der(key, challenge)).decode(), "challenge": challenge},
        headers={"X-CSRFToken": facts["token"]},
    )


def issue(campaign_id: UUID, row: int = 1) -> Certificate:
    with db.transaction() as session:
        request_id = invitations.of_row(session, campaign_id, row).request_id
    certificate_tasks.issue.func(str(request_id))
    with db.transaction() as session:
        from app.certificates.models import CertificateRequest

        request = session.get_one(CertificateRequest, request_id)
        return session.get_one(Certificate, request.certificate_id)


def certificates() -> list[Certificate]:
    with db.transaction() as session:
        return list(session.scalars(select(Certificate).where(Certificate.profile == "citizen_signing")).unique())


def test_a_person_walks_from_the_letter_to_the_certificate_and_back_to_it(city: Settings, web: Flask) -> None:
    made, browser = invited(city, people(1)), web.test_client()
    path = path_of(city, made)
    first = browser.get(path)
    assert first.headers["Cache-Control"] == "no-store"
    assert "Bước 1/3" in first.get_data(as_text=True)
    assert answer(browser, path, files.number(1)[-4:]).status_code == 302
    assert "Bước 3/3" in browser.get(path).get_data(as_text=True)
    key = SoftwareKey.generate(Curve.P256)
    assert send(browser, path, key).status_code == 201
    assert "Đang tạo" in browser.get(path).get_data(as_text=True)
    certificate = issue(made)
    page = browser.get(path).get_data(as_text=True)
    assert certificate.serial_hex in page
    assert "Bạn đã có chữ ký số" in page
    assert certificate.label == "Nguyễn Thị Lan"
    # Another browser is asked again, and then shown the same one.
    other = web.test_client()
    assert certificate.serial_hex not in other.get(path).get_data(as_text=True)
    answer(other, path, files.number(1)[-4:])
    assert certificate.serial_hex in other.get(path).get_data(as_text=True)
    assert len(certificates()) == 1


def test_the_holder_suspends_at_once_through_the_link(city: Settings, web: Flask) -> None:
    made, browser = invited(city, people(1)), web.test_client()
    path = path_of(city, made)
    answer(browser, path, files.number(1)[-4:])
    send(browser, path, SoftwareKey.generate(Curve.P256))
    issue(made)
    page = browser.get(f"{path}/suspend").get_data(as_text=True)
    assert browser.post(f"{path}/suspend", data={"csrf_token": token_in(page)}).status_code == 302
    assert certificates()[0].state == CertificateState.HELD


def test_five_wrong_answers_lock_the_link_also_for_the_right_one(city: Settings, web: Flask) -> None:
    made, browser = invited(city, people(1)), web.test_client()
    path = path_of(city, made)
    for _ in range(4):
        assert answer(browser, path, "9999").status_code == 422
    page = browser.get(f"{path}?step=who").get_data(as_text=True)
    assert browser.post(path, data={"csrf_token": token_in(page), "digits": "9999"}).status_code == 422
    assert "bị khoá" in browser.get(path).get_data(as_text=True)
    assert browser.post(path, data={"csrf_token": token_in(page), "digits": files.number(1)[-4:]}).status_code == 403
    with db.transaction() as session:
        locked = select(func.count()).select_from(AuditEntry).where(AuditEntry.act == "enrolment_locked")
        assert session.scalar(locked) == 1


def test_nobody_gets_further_without_the_digits(city: Settings, web: Flask) -> None:
    made, honest, thief = invited(city, people(1)), web.test_client(), web.test_client()
    path = path_of(city, made)
    answer(honest, path, files.number(1)[-4:])
    facts = block(honest.get(path).get_data(as_text=True))
    token = token_in(thief.get(f"{path}?step=who").get_data(as_text=True))
    refused = _send(thief, facts | {"token": token}, SoftwareKey.generate(Curve.P256), facts["challenge"])
    assert refused.status_code == 403
    assert thief.get(f"{path}/suspend").status_code == 403


def test_a_request_with_another_challenge_or_after_another_key_is_refused(city: Settings, web: Flask) -> None:
    made, browser = invited(city, people(1)), web.test_client()
    path = path_of(city, made)
    answer(browser, path, files.number(1)[-4:])
    facts = block(browser.get(path).get_data(as_text=True))
    assert _send(browser, facts, SoftwareKey.generate(Curve.P256), "x" * 43).status_code == 422
    key = SoftwareKey.generate(Curve.P256)
    assert _send(browser, facts, key, facts["challenge"]).status_code == 201
    # The network lost the answer: the same request again is the same one.
    assert _send(browser, facts, key, facts["challenge"]).status_code == 201
    assert _send(browser, facts, SoftwareKey.generate(Curve.P256), facts["challenge"]).status_code == 409
    issue(made)
    assert len(certificates()) == 1


def test_a_lost_browser_gets_a_new_link_and_the_new_certificate_ends_the_old_one(city: Settings, web: Flask) -> None:
    made, browser = invited(city, people(1)), web.test_client()
    old = path_of(city, made)
    answer(browser, old, files.number(1)[-4:])
    send(browser, old, SoftwareKey.generate(Curve.P256))
    first = issue(made)
    page = browser.get(old).get_data(as_text=True)
    assert browser.post(f"{old}/again", data={"csrf_token": token_in(page)}).status_code == 302
    with db.transaction() as session:
        assert invitations.of_row(session, made, 1).asked_again_at is not None
        invitations.renew(session, city, actor("dung"), made, 1, now=files.now())
    assert browser.get(old).status_code == 404
    new = path_of(city, made)
    # The proof of the old link opens nothing of the new one.
    assert "Bước 1/3" in browser.get(new).get_data(as_text=True)
    answer(browser, new, files.number(1)[-4:])
    send(browser, new, SoftwareKey.generate(Curve.P256))
    second = issue(made)
    with db.transaction() as session:
        assert session.get_one(Certificate, first.id).state == CertificateState.REVOKED
        assert session.get_one(Certificate, second.id).state == CertificateState.ISSUED


def test_links_end_with_their_day_and_with_a_stopped_campaign(city: Settings, web: Flask) -> None:
    from datetime import timedelta

    made, browser = invited(city, people(2)), web.test_client()
    with db.transaction() as session:
        found = invitations.of_row(session, made, 1)
        found.expires_at = files.now() - timedelta(seconds=1)
    assert "hết hạn" in browser.get(path_of(city, made, 1)).get_data(as_text=True)
    assert browser.get("/enrol/nothing").status_code == 404


def test_each_accepted_row_has_one_invitation_one_outcome_and_one_entry_however_often_the_job_dies(
    city: Settings,
) -> None:
    made = started(city, people(20))

    def run(point: str) -> None:
        def child() -> None:
            db.dispose()
            failpoints.arm(point)
            invitations.work_off(city, made, files.now, size=3)

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()

    for point in (
        "campaign.before_invitations:kill:1",
        "campaign.invited:kill:2",
        "campaign.before_invitations:kill:2",
    ):
        run(point)
        assert campaign(made).state == CampaignState.RUNNING
    tasks.run.func(str(made))
    tasks.run.func(str(made))
    assert campaign(made).state == CampaignState.FINISHED
    with db.transaction() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table).where(condition))
            for table, condition in (
                (Invitation, Invitation.campaign_id == made),
                (Outcome, Outcome.campaign_id == made),
                (AuditEntry, AuditEntry.act == "person_invited"),
                (Notice, Notice.kind == "enrolment"),
            )
        ]
    assert counts == [20, 20, 20, 20]
    assert campaign(made).rows_done == 20


def test_mail_goes_out_no_faster_than_the_operator_allows(city: Settings) -> None:
    from dataclasses import replace
    from datetime import timedelta

    made = started(city, people(7))
    slow = replace(city, mail_rate=5)
    invitations.work_off(slow, made, files.now)
    assert (campaign(made).rows_done, campaign(made).state) == (5, CampaignState.RUNNING)
    invitations.work_off(slow, made, lambda: files.now() + timedelta(minutes=2))
    assert (campaign(made).rows_done, campaign(made).state) == (7, CampaignState.FINISHED)


def test_no_token_stands_in_the_database_in_clear(city: Settings) -> None:
    made = invited(city, people(1))
    token = path_of(city, made).rsplit("/", 1)[1]
    assert len(token) == 22
    with db.transaction() as session:
        found = invitations.of_row(session, made, 1)
        assert token.encode() not in found.token_sealed + found.token_sha256
        with pytest.raises(NotFound):
            tokens.open_sealed(city, UUID(int=1), found.token_sealed)


def test_people_without_mail_or_whose_mail_failed_get_a_letter_that_a_phone_reads(
    city: Settings, tmp_path: Path
) -> None:
    made = invited(city, [person(1), person(2, email=""), person(3, surname="Đặng Thị Thùy", given="Dương", email="")])
    with db.transaction() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "enrolment")).one()
        assert notice.recipient == "p1@example.vn"
        notice.state = NoticeState.FAILED
    with db.transaction() as session:
        invitations.switch_to_letter(session, actor("dung"), made, 1)
        waiting = letters.print_files(session, made)
        assert [(one.waiting, list(one.runs)) for one in waiting] == [(3, [])]
        pdf = letters.print_run(session, city, actor("dung"), made, waiting[0].wave_id, None, now=files.now())
    path = tmp_path / "letters.pdf"
    path.write_bytes(pdf)
    assert subprocess.run(["qpdf", "--check", str(path)], capture_output=True, check=False).returncode == 0
    text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True).stdout.decode()
    assert "Đặng Thị Thùy Dương" in text
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    assert len(document) == 3
    for number in range(3):
        picture = document[number].render(scale=150 / 72).to_pil()
        codes = zxingcpp.read_barcodes(picture)
        assert [code.text for code in codes] == [f"{city.web_url}{path_of(city, made, number + 1)}"]
    with db.transaction() as session:
        run = letters.print_files(session, made)[0]
        assert run.waiting == 0
        again = letters.print_run(session, city, actor("dung"), made, run.wave_id, run.runs[0][0], now=files.now())
    assert len(pypdfium2.PdfDocument(io.BytesIO(again))) == 3
    with pytest.raises(NotFound), db.transaction() as session:
        letters.print_run(session, city, actor("dung"), made, run.wave_id, None, now=files.now())


def test_who_used_the_link_is_not_switched_to_a_letter(city: Settings, web: Flask) -> None:
    made, browser = invited(city, people(1)), web.test_client()
    path = path_of(city, made)
    answer(browser, path, files.number(1)[-4:])
    send(browser, path, SoftwareKey.generate(Curve.P256))
    with pytest.raises(Conflict), db.transaction() as session:
        invitations.switch_to_letter(session, actor("dung"), made, 1)


def test_two_campaigns_with_the_same_person_invite_them_once(city: Settings) -> None:
    # Both are checked before either is started, so the check of neither can know.
    both = [checked(city, csv_of(people(2, first=first))) for first in (1, 2)]
    for made in both:
        with db.transaction() as session:
            service.submit(session, actor("dung"), made, now=files.now())
            service.start(session, actor("dung"), made, now=files.now())
        tasks.run.func(str(made))
    assert [(campaign(made).rows_done, campaign(made).rows_failed) for made in both] == [(2, 0), (1, 1)]
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Invitation)) == 3
