"""What the API does with many certificates, waves, alarms, authorities and acts, and whom it refuses."""

from __future__ import annotations

import urllib.parse
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import func, select

from app.accounts.token_models import ApiAnswer
from app.alarms import service as alarms
from app.approvals.models import Act
from app.audit.models import AuditEntry
from app.campaigns.models import Campaign, CampaignState, Wave
from app.certificates.models import Authority
from app.core import db
from app.core.permissions import Permission
from app.core.settings import Settings
from app.interface import cursors, tasks
from tests.factories.api import Program, token_of
from tests.factories.campaigns import running_campaign
from tests.factories.certificates import another_administrator, ask, issued_to
from tests.factories.officers import officer

NOBODY = "00000000-0000-4000-8000-000000000000"


def _bulk(serial_hex: str, **changes: object) -> dict[str, object]:
    return {"kind": "revoke", "reason": "superseded", "serial_numbers": [serial_hex]} | changes


def test_a_list_is_drafted_submitted_approved_by_another_and_worked_off(city: Settings, web: Flask) -> None:
    certificate = issued_to("minh")
    another_administrator()
    asking, deciding = Program(web, token_of("oanh")), Program(web, token_of("phuc"))
    body = _bulk(certificate.serial_hex, serial_numbers=[certificate.serial_hex, "ff" * 18])
    drafted = asking.post("/revocations/bulk", body)
    assert drafted.status_code == 201
    bulk = drafted.get_json()
    assert (bulk["state"], bulk["ready"], bulk["findings"]) == ("draft", 1, {"ready": 1, "not_found": 1})
    submitted = asking.post(f"/revocations/bulk/{bulk['id']}/submission")
    assert (submitted.status_code, submitted.get_json()["state"]) == (202, "submitted")
    act = asking.get("/approvals/own").get_json()["acts"][0]
    assert act["id"] == submitted.get_json()["act_id"]
    approval = {"digest_hex": act["digest_hex"]}
    assert asking.post(f"/approvals/{act['id']}/approval", approval).status_code == 403
    assert deciding.post(f"/approvals/{act['id']}/approval", approval).get_json()["state"] == "executed"
    from app.certificates import tasks as certificate_tasks

    certificate_tasks.work_off_list.func(bulk["id"])
    done = asking.get(f"/revocations/bulk/{bulk['id']}").get_json()
    assert (done["state"], done["changed"]) == ("done", 1)
    rows = asking.get(f"/revocations/bulk/{bulk['id']}/rows").get_json()
    assert [(one["finding"], one["changed"]) for one in rows["rows"]] == [("ready", True), ("not_found", None)]
    assert asking.get(f"/certificates/{certificate.id}").get_json()["state"] == "revoked"


def test_a_list_with_one_key_is_drafted_once(city: Settings, web: Flask) -> None:
    program, body = Program(web, token_of("oanh")), _bulk(issued_to("minh").serial_hex)
    first, second = (program.post("/revocations/bulk", body, key="one") for _ in range(2))
    assert first.get_json() == second.get_json()
    assert len(program.get("/revocations/bulk").get_json()["lists"]) == 1


def test_a_list_is_refused_to_whoever_may_not_revoke_and_not_found_by_another_agency(
    city: Settings, web: Flask
) -> None:
    body = _bulk(issued_to("minh").serial_hex)
    reader = Program(web, token_of("oanh", Permission.FIND_CERTIFICATES))
    assert reader.post("/revocations/bulk", body).status_code == 403
    bulk_id = Program(web, token_of("oanh")).post("/revocations/bulk", body).get_json()["id"]
    from app.core.permissions import Role

    officer("xa", "H99.03", Role.ADMINISTRATOR)
    elsewhere = Program(web, token_of("xa"))
    assert elsewhere.get("/revocations/bulk").get_json()["lists"] == []
    for answer in (
        elsewhere.get(f"/revocations/bulk/{bulk_id}"),
        elsewhere.get(f"/revocations/bulk/{bulk_id}/rows"),
        elsewhere.post(f"/revocations/bulk/{bulk_id}/submission"),
    ):
        assert answer.status_code == 404


def test_only_a_revocation_has_a_reason(city: Settings, web: Flask) -> None:
    program = Program(web, token_of("oanh"))
    assert program.post("/revocations/bulk", _bulk("00ff", kind="suspend")).status_code == 422
    assert program.post("/revocations/bulk", _bulk("00ff", reason=None)).status_code == 422
    assert program.post("/revocations/bulk", _bulk("00ff", reason="certificate_hold")).status_code == 422
    assert program.post("/revocations/bulk", _bulk("00FF")).status_code == 422


def _campaign(state: CampaignState) -> tuple[str, list[str]]:
    campaign_id = running_campaign([b"x", b"y"], agencies=("H99.03", "H99.01"))
    with db.transaction() as session:
        session.get_one(Campaign, campaign_id).state = state
        waves = session.scalars(select(Wave.id).where(Wave.campaign_id == campaign_id).order_by(Wave.position)).all()
    return str(campaign_id), [str(one) for one in waves]


def test_waves_are_arranged_in_the_order_that_is_sent(city: Settings, web: Flask) -> None:
    campaign_id, (first, second) = _campaign(CampaignState.CHECKED)
    officer("quan", None)
    program = Program(web, token_of("quan"))
    body = {"quota_per_day": 1000, "waves": [{"id": second, "quota": 10}]}
    arranged = program.post(f"/campaigns/{campaign_id}/waves", body)
    assert arranged.status_code == 200
    assert [(one["id"], one["quota"]) for one in arranged.get_json()["waves"]] == [(second, 10), (first, None)]
    assert program.get(f"/campaigns/{campaign_id}/waves").get_json() == arranged.get_json()
    assert program.post(f"/campaigns/{campaign_id}/waves", {"waves": [{"id": NOBODY}]}).status_code == 404
    assert program.post(f"/campaigns/{campaign_id}/waves", {"quota_per_day": 2**31, "waves": []}).status_code == 422


def test_a_wave_is_paused_and_resumed_and_a_stranger_finds_it_not(city: Settings, web: Flask) -> None:
    campaign_id, (wave, _) = _campaign(CampaignState.RUNNING)
    officer("quan", None)
    officer("xa", "H99.02")
    program, stranger, reader = (Program(web, token_of(one)) for one in ("quan", "xa", "oanh"))
    address = f"/campaigns/{campaign_id}/waves/{wave}"
    assert stranger.post(f"{address}/pause").status_code == 404
    assert reader.post(f"{address}/pause").status_code == 403
    assert program.post(f"{address}/pause").get_json()["waves"][0]["state"] == "paused"
    assert program.post(f"{address}/pause").status_code == 409
    assert program.post(f"{address}/resumption").get_json()["waves"][0]["state"] == "running"


def test_alarms_are_read_and_closed_by_those_who_may(city: Settings, web: Flask) -> None:
    with db.transaction() as session:
        alarms.raise_alarm(session, "crl_stale", object_kind="authority", object_id=uuid4())
    program = Program(web, token_of("oanh"))
    (alarm,) = program.get("/alarms").get_json()["alarms"]
    reader = Program(web, token_of("oanh", Permission.READ_ALARMS))
    assert reader.post(f"/alarms/{alarm['id']}/closing").status_code == 403
    assert program.post(f"/alarms/{NOBODY}/closing").status_code == 404
    assert program.post(f"/alarms/{alarm['id']}/closing").get_json()["closed_at"] is not None
    assert program.get("/alarms").get_json()["alarms"] == []
    assert [one["id"] for one in program.get("/alarms", closed="true").get_json()["alarms"]] == [alarm["id"]]
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.act == "alarm_closed")) == 1


def test_authorities_say_where_their_certificates_and_lists_are(city: Settings, web: Flask) -> None:
    program = Program(web, token_of("dung"))
    found = {one["profile"]: one for one in program.get("/authorities").get_json()["authorities"]}
    citizens = found["issuing_citizens"]
    assert citizens["certificate_url"] == f"{city.status_url}/ca/issuing_citizens.cer"
    assert citizens["issues_until"] < citizens["not_after"]
    lists = program.get(f"/authorities/{citizens['id']}/lists").get_json()["lists"]
    assert [one["shard"] for one in lists] == list(range(citizens["shards"]))
    assert {urllib.parse.urlsplit(one["url"]).path for one in lists} >= {"/crl/issuing_citizens/0.crl"}
    assert program.get(f"/authorities/{NOBODY}/lists").status_code == 404
    assert Program(web, token_of("minh")).get("/authorities").status_code == 403
    with db.transaction() as session:
        assert len(found) == session.scalar(select(func.count()).select_from(Authority))


def test_requests_go_on_behind_the_last_one_of_a_page(city: Settings, web: Flask) -> None:
    requests = [str(ask(login)) for login in ("minh", "lan")]
    officer("quan", None)
    program = Program(web, token_of("quan"))
    (first, second) = program.get("/requests").get_json()["requests"]
    assert [first["id"], second["id"]] == requests
    with db.transaction() as session:
        from app.certificates.models import CertificateRequest

        one = session.get_one(CertificateRequest, first["id"])
        after = cursors.written(one.requested_at, one.id)
    assert [one["id"] for one in program.get("/requests", after=after).get_json()["requests"]] == [second["id"]]


def test_only_ones_own_acts_are_listed_as_ones_own(city: Settings, web: Flask) -> None:
    certificate = issued_to("minh")
    another_administrator()
    program = Program(web, token_of("oanh"))
    program.post("/revocations", {"certificate_id": str(certificate.id), "reason": "certificate_hold"})
    act_id = program.post(f"/certificates/{certificate.id}/release").get_json()["act_id"]
    assert [one["id"] for one in program.get("/approvals/own").get_json()["acts"]] == [act_id]
    other = Program(web, token_of("phuc"))
    assert other.get("/approvals/own").get_json() == {"acts": [], "next": None}
    assert [one["id"] for one in other.get("/approvals").get_json()["acts"]] == [act_id]
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Act)) == 1


def test_answers_are_forgotten_after_a_day(city: Settings, web: Flask) -> None:
    program = Program(web, token_of("minh"))
    for key in ("old", "new"):
        program.post("/challenges", key=key)
    with db.transaction() as session:
        old = session.scalars(select(ApiAnswer).where(ApiAnswer.key == "old")).one()
        old.created_at = datetime.now(UTC) - timedelta(days=1, seconds=1)
    tasks.forget.func(0)
    with db.transaction() as session:
        assert session.scalars(select(ApiAnswer.key)).all() == ["new"]


def test_the_character_nul_and_a_time_that_is_none_are_refused(city: Settings, web: Flask) -> None:
    program, certificate_id = Program(web, token_of("oanh")), NOBODY
    assert program.get("/certificates", q="a\0b").status_code == 422
    body = {"certificate_id": certificate_id, "reason": "superseded"}
    for date in (0, "0", "2026-02-31T00:00:00Z", "0001-01-01T00:00:00+23:00"):
        assert program.post("/revocations", body | {"invalidity_date": date}).status_code == 422
