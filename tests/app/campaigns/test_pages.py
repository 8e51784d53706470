"""Pages of campaigns from the upload to the end, and who is refused on the way."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.audit.models import AuditEntry
from app.campaigns import service, tasks
from app.campaigns.models import CampaignState, Wave, WaveState
from app.core import db
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.permissions import Role
from app.core.settings import Settings
from tests.factories import campaign_files as files
from tests.factories.campaign_files import campaign, checked, csv_of, people, person, xlsx_of
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.officers import officer

SignIn = Callable[[str], FlaskClient]


def upload(client: FlaskClient, content: bytes, name: str = "danh-sach.csv", **fields: str) -> UUID:
    answer = client.post(
        "/campaigns/new",
        data={
            "csrf_token": csrf_token(client, "/campaigns/new"),
            "title": "Phường Bến Đỏ",
            "mode": "invite",
            "profile": "citizen_signing",
            "agency": "city",
            "invitation_days": "30",
            "file": (io.BytesIO(content), name),
            **fields,
        },
        content_type="multipart/form-data",
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return UUID(answer.location.rsplit("/", 1)[1])


def post(client: FlaskClient, path: str, **fields: str) -> int:
    token = csrf_token(client, "/campaigns/")
    return client.post(path, data={"csrf_token": token, **fields}).status_code


@pytest.mark.parametrize(("content", "name"), [(csv_of(people(3)), "a.csv"), (xlsx_of(people(3)), "a.xlsx")])
def test_an_uploaded_file_is_checked_and_the_page_says_what_came_out(
    city: Settings, sign_in: SignIn, content: bytes, name: str
) -> None:
    browser = sign_in("dung")
    made = upload(browser, content, name)
    assert "Đang kiểm tra" in browser.get(f"/campaigns/{made}").get_data(as_text=True)
    tasks.check.func(str(made))
    page = browser.get(f"/campaigns/{made}").get_data(as_text=True)
    assert "Phường Bến Đỏ" in page
    assert campaign(made).rows_accepted == 3
    assert campaign(made).state == CampaignState.CHECKED


def test_a_small_campaign_needs_one_officer_and_ends_with_everybody_invited(city: Settings, sign_in: SignIn) -> None:
    browser = sign_in("dung")
    made = checked(city, csv_of([*people(3), person(2)]))
    assert post(browser, f"/campaigns/{made}/submit") == 302
    assert post(browser, f"/campaigns/{made}/start") == 302
    tasks.run.func(str(made))
    assert campaign(made).state == CampaignState.FINISHED
    assert campaign(made).rows_done == 3
    table = list(csv.reader(io.StringIO(browser.get(f"/campaigns/{made}/rows.csv").get_data(as_text=True)[1:])))
    assert [row[5] for row in table[1:]] == ["Đã mời"] * 3 + [""]
    assert "hai lần" in table[4][6]
    book = browser.get(f"/campaigns/{made}/rows.xlsx")
    assert book.data[:2] == b"PK"


def test_the_pages_of_every_state_answer(city: Settings, sign_in: SignIn) -> None:
    browser, reader = sign_in("dung"), sign_in("khoa")
    made = checked(city, csv_of([*people(30), person(2), person(40, agency="H99.02", email="")]))
    for path in ("", "/progress", "/waves"):
        assert browser.get(f"/campaigns/{made}{path}").status_code == 200, path
    assert browser.get("/campaigns/").status_code == 200
    assert browser.get("/campaigns/new").status_code == 200
    assert post(browser, f"/campaigns/{made}/submit") == 302
    assert browser.get(f"/campaigns/{made}").status_code == 200
    _approve(made)
    assert post(browser, f"/campaigns/{made}/start") == 302
    assert browser.get(f"/campaigns/{made}/stop").status_code == 200
    tasks.run.func(str(made))
    for one in (browser, reader):
        assert one.get(f"/campaigns/{made}").status_code == 200
        assert one.get(f"/campaigns/{made}/invitations").status_code == 200
    assert reader.get("/campaigns/new").status_code == 403
    assert post(reader, f"/campaigns/{made}/pause") == 403


def test_more_than_twenty_need_a_second_officer_over_exactly_these_rows(city: Settings) -> None:
    made = checked(city, csv_of(people(21)))
    with db.transaction() as session:
        act = service.submit(session, actor("dung"), made, now=files.now())
    assert act is not None
    with pytest.raises(Conflict), db.transaction() as session:
        service.start(session, actor("dung"), made, now=files.now())
    with pytest.raises(Forbidden), db.transaction() as session:
        approvals.approve(session, actor("dung"), act.id, digest=act.digest_hex, now=files.now())
    _approve(made)
    assert campaign(made).state == CampaignState.APPROVED


def test_a_campaign_that_changed_after_it_was_submitted_is_not_approved(city: Settings) -> None:
    made = checked(city, csv_of(people(21)))
    with db.transaction() as session:
        service.submit(session, actor("dung"), made, now=files.now())
    with db.transaction() as session:
        session.scalars(select(Wave).where(Wave.campaign_id == made)).one().quota = 5
    _approve(made, to=ActState.FAILED)
    assert campaign(made).state == CampaignState.SUBMITTED
    with db.transaction() as session:
        service.reopen(session, actor("dung"), made, now=files.now())
    assert campaign(made).state == CampaignState.CHECKED


def test_twenty_are_within_the_rate_of_an_officer_and_one_more_is_not(city: Settings) -> None:
    from app.core.errors import TooMany

    first, second = checked(city, csv_of(people(20))), checked(city, csv_of(people(1, first=50)))
    with db.transaction() as session:
        assert service.submit(session, actor("dung"), first, now=files.now()) is None
    with pytest.raises((TooMany, Forbidden)), db.transaction() as session:
        service.submit(session, actor("dung"), second, now=files.now())


def test_an_officer_of_another_agency_finds_no_campaign_and_uploads_for_no_other_ward(city: Settings) -> None:
    officer("tam", "H99.02")
    made = checked(city, csv_of(people(1)))
    with pytest.raises(NotFound), db.transaction() as session:
        service.find(session, actor("tam"), made)
    with pytest.raises(Forbidden):
        files.make(city, csv_of(people(1)), by="tam")


def test_rows_of_wards_outside_the_officers_scope_are_rejected(city: Settings) -> None:
    officer("tam", "H99.02")
    from app.registry.models import Agency

    with db.transaction() as session:
        agency_id = session.scalars(select(Agency.id).where(Agency.code == "H99.02")).one()
    made = checked(city, csv_of([person(1), person(2, agency="H99.02")]), by="tam", agency_id=agency_id)
    assert files.reasons(made) == ["outside_scope", None]


def test_pausing_resuming_and_stopping_are_compare_and_set_and_stand_in_the_log(city: Settings) -> None:
    made = checked(city, csv_of(people(2)))
    with db.transaction() as session:
        service.submit(session, actor("dung"), made, now=files.now())
        service.start(session, actor("dung"), made, now=files.now())
    with db.transaction() as session:
        service.pause(session, actor("dung"), made)
    with pytest.raises(Conflict), db.transaction() as session:
        service.pause(session, actor("dung"), made)
    tasks.run.func(str(made))
    assert campaign(made).rows_done == 0
    with db.transaction() as session:
        service.resume(session, actor("dung"), made)
        service.stop(session, actor("dung"), made, now=files.now())
    tasks.run.func(str(made))
    assert (campaign(made).state, campaign(made).rows_done) == (CampaignState.STOPPED, 0)
    with db.transaction() as session:
        assert session.scalars(select(Wave.state).where(Wave.campaign_id == made)).all() == [WaveState.STOPPED]
        acts = set(session.scalars(select(AuditEntry.act).where(AuditEntry.object_id == str(made))))
    assert {"campaign_created", "campaign_checked", "campaign_submitted", "campaign_started", "campaign_paused"} <= acts
    assert {"campaign_resumed", "campaign_stopped"} <= acts


def test_stopping_asks_for_the_title(city: Settings, sign_in: SignIn) -> None:
    browser = sign_in("dung")
    made = checked(city, csv_of(people(1)))
    post(browser, f"/campaigns/{made}/submit")
    assert post(browser, f"/campaigns/{made}/stop", confirm="nothing") == 422
    assert campaign(made).state == CampaignState.APPROVED
    assert post(browser, f"/campaigns/{made}/stop", confirm="Chữ ký cho phường") == 302
    assert campaign(made).state == CampaignState.STOPPED


def test_the_waves_are_worked_off_in_the_officers_order_within_their_limits(city: Settings, sign_in: SignIn) -> None:
    browser = sign_in("dung")
    made = checked(city, csv_of([*people(2), person(3, agency="H99.02"), person(4, agency="H99.02")]))
    page = browser.get(f"/campaigns/{made}/waves").get_data(as_text=True)
    names = re.findall(r'name="(position-[^"]+)"', page)
    fields = {names[0]: "2", names[1]: "1", names[0].replace("position", "quota"): "1"}
    assert post(browser, f"/campaigns/{made}/waves", quota_per_day="3", **fields) == 302
    with db.transaction() as session:
        waves = service.waves_of(session, made)
    assert [(agency.code, wave.quota) for wave, agency in waves] == [("H99.03", None), ("H99.02", 1)]
    post(browser, f"/campaigns/{made}/submit")
    post(browser, f"/campaigns/{made}/start")
    tasks.run.func(str(made))
    with db.transaction() as session:
        assert [wave.rows_done for wave, _ in service.waves_of(session, made)] == [2, 1]


def test_a_corrected_file_takes_the_place_of_the_first(city: Settings, sign_in: SignIn) -> None:
    browser = sign_in("dung")
    made = checked(city, csv_of([person(1, number="1"), person(2)]))
    answer = browser.post(
        f"/campaigns/{made}/file",
        data={
            "csrf_token": csrf_token(browser, f"/campaigns/{made}"),
            "file": (io.BytesIO(csv_of(people(5))), "moi.csv"),
        },
        content_type="multipart/form-data",
    )
    assert answer.status_code == 302
    tasks.check.func(str(made))
    assert (campaign(made).file_version, campaign(made).rows_accepted, campaign(made).rows_rejected) == (2, 5, 0)
    assert files.reasons(made) == [None] * 5


@pytest.mark.parametrize("mode", ["invite", "issue"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_templates_pass_the_check_of_their_head(city: Settings, sign_in: SignIn, mode: str, kind: str) -> None:
    content = sign_in("dung").get(f"/campaigns/template-{mode}.{kind}").data
    from app.campaigns.models import Mode

    made = checked(city, content, mode=Mode(mode))
    assert files.reasons(made) == [None if mode == "invite" else "key_missing"]


def test_the_chart_has_at_most_sixty_columns_that_add_up(city: Settings) -> None:
    from datetime import timedelta

    from app.campaigns.models import Batch, BatchState
    from app.campaigns.pace import pace_of

    made = checked(city, csv_of(people(3)))
    with db.transaction() as session:
        assert pace_of(session, made) is None
        wave = session.scalars(select(Wave).where(Wave.campaign_id == made)).one()
        for minutes in (0, 1, 30, 600):
            at = files.now() + timedelta(minutes=minutes)
            session.add(
                Batch(
                    campaign_id=made, wave_id=wave.id, state=BatchState.DONE, numbers=[1, 2], created_at=at, done_at=at
                )
            )
        session.flush()
        found = pace_of(session, made)
    assert found is not None
    assert len(found.labels) == len(found.values) <= 60
    assert sum(found.values) == 8


def test_no_cell_of_the_result_is_run_as_a_formula(city: Settings, sign_in: SignIn) -> None:
    made = checked(city, csv_of([person(1, surname="=cmd|' /C calc'!A0"), person(2)]))
    text = sign_in("dung").get(f"/campaigns/{made}/rows.csv").get_data(as_text=True)
    assert "\n1,'=cmd" in text.replace("\r", "")


def _approve(campaign_id: UUID, *, to: ActState = ActState.EXECUTED) -> None:
    officer("tam", None)
    with db.transaction() as session:
        act = session.get_one(Act, campaign(campaign_id).act_id)
        done = approvals.approve(session, actor("tam"), act.id, digest=act.digest_hex, now=files.now())
    assert done.state == to, done.failure


def test_who_has_no_permission_is_refused(city: Settings, sign_in: SignIn) -> None:
    for login in ("lan", "minh", "bao"):
        assert sign_in(login).get("/campaigns/").status_code == 403
    assert Role.REGISTRATION_OFFICER
