"""A running campaign ends with one outcome for each row, whoever works on it and however often they die."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select, text, update

from app.audit.models import AuditEntry
from app.campaigns import runner, tasks
from app.campaigns.engine import Engine
from app.campaigns.models import Batch, BatchState, Campaign, CampaignState, Outcome, Result, Wave, WaveState
from app.certificates.models import Authority, BlockedKey, Certificate, CertificateState, Revocation
from app.core import db
from app.core.failpoints import VARIABLE
from app.core.settings import Settings
from app.registry.models import Person
from pki import csr
from pki.profiles import ProfileName
from tests.factories.campaigns import request_der, running_campaign

ROWS = 7


def outcomes_of(campaign_id: uuid.UUID) -> Sequence[Outcome]:
    with db.transaction() as session:
        query = select(Outcome).where(Outcome.campaign_id == campaign_id).order_by(Outcome.number)
        return session.scalars(query).all()


def certificates_of(campaign_id: uuid.UUID) -> Sequence[Certificate]:
    """The certificates of everyone in the campaign, whatever became of them."""
    with db.transaction() as session:
        people = select(Outcome.person_id).where(Outcome.campaign_id == campaign_id)
        query = select(Certificate).where(Certificate.person_id.in_(people))
        return session.scalars(query).unique().all()


def entries_of(campaign_id: uuid.UUID) -> int:
    with db.transaction() as session:
        query = select(func.count()).where(
            AuditEntry.act == "certificate_issued", AuditEntry.facts["campaign"].astext == str(campaign_id)
        )
        return session.scalar(query) or 0


def state_of(campaign_id: uuid.UUID) -> str:
    with db.transaction() as session:
        return session.get_one(Campaign, campaign_id).state


def run_and_die(campaign_id: uuid.UUID, order: str, *, size: int) -> int:
    """Work on the campaign in a process that ends itself at a point."""
    program = (
        "import app.models, os; from uuid import UUID; from app.core import db; from app.core.settings import load;"
        "from app.campaigns.engine import Engine; settings = load(os.environ); db.configure(settings.database_url);"
        f"Engine(settings, UUID({str(campaign_id)!r}), size={size}).run()"
    )
    environ = os.environ | {VARIABLE: order}
    return subprocess.run([sys.executable, "-c", program], env=environ, check=False, capture_output=True).returncode


def test_each_row_ends_with_one_certificate_one_outcome_and_one_entry(city: Settings) -> None:
    campaign_id = running_campaign([request_der() for _ in range(ROWS)])
    Engine(city, campaign_id, size=3).run()
    assert [one.result for one in outcomes_of(campaign_id)] == [Result.CERTIFIED] * ROWS
    issued = certificates_of(campaign_id)
    assert len({one.person_id for one in issued}) == len(issued) == entries_of(campaign_id) == ROWS
    assert state_of(campaign_id) == CampaignState.FINISHED
    with db.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
    assert (campaign.rows_done, campaign.rows_failed) == (ROWS, 0)


def test_a_certificate_of_a_campaign_is_genuine_and_says_what_the_registry_says(city: Settings) -> None:
    requests = [request_der()]
    campaign_id = running_campaign(requests)
    Engine(city, campaign_id).run()
    (issued,) = certificates_of(campaign_id)
    with db.transaction() as session:
        authority = session.get_one(Authority, issued.authority_id)
        person = session.get_one(Person, issued.person_id)
    certificate = x509.load_der_x509_certificate(issued.der or b"")
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(authority.certificate_der))
    (number,) = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    assert (number.value, issued.label) == (person.identifier, person.full_name)
    assert issued.spki_sha256 == csr.parse(requests[0]).spki_sha256
    assert certificate.serial_number == issued.serial_number
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (issued.not_before, issued.not_after)
    assert certificate.serial_number % authority.shards == issued.shard


def test_officials_of_a_campaign_get_their_post_and_a_certificate_that_names_it(city: Settings) -> None:
    campaign_id = running_campaign([request_der()], profile=ProfileName.OFFICIAL_SIGNING, agencies=("H99.02",))
    Engine(city, campaign_id).run()
    (issued,) = certificates_of(campaign_id)
    with db.transaction() as session:
        post = session.get_one(Person, issued.person_id).current_post
    assert post is not None
    assert (post.agency.code, post.title) == ("H99.02", "Chuyên viên")
    subject = x509.load_der_x509_certificate(issued.der or b"").subject
    (agency,) = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert agency.value == "Sở Khoa học và Công nghệ"


def test_rows_that_cannot_be_certified_end_with_their_reason_and_the_others_go_on(city: Settings) -> None:
    good, used, blocked, broken = request_der(), request_der(), request_der(), b"not a request"
    first = running_campaign([used])
    Engine(city, first).run()
    with db.transaction() as session:
        session.add(BlockedKey(spki_sha256=csr.parse(blocked).spki_sha256, blocked_at=datetime.now(UTC)))
    campaign_id = running_campaign([good, used, blocked, broken, good])
    Engine(city, campaign_id).run()
    found = [(one.result, one.reason) for one in outcomes_of(campaign_id)]
    assert found == [
        ("certified", None),
        ("failed", "key_used"),
        ("failed", "key_used"),
        ("failed", "bad_key"),
        ("failed", "key_used"),
    ]
    assert state_of(campaign_id) == CampaignState.FINISHED


def test_somebody_who_has_got_a_certificate_meanwhile_is_passed_over(city: Settings) -> None:
    Engine(city, running_campaign([request_der()], people=["079204012345"])).run()
    again = running_campaign([request_der(), request_der()], people=["079204012345", "079204012346"])
    Engine(city, again).run()
    assert [(one.result, one.reason) for one in outcomes_of(again)] == [
        ("skipped", "has_certificate"),
        ("certified", None),
    ]
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Person).where(Person.number_index.is_not(None))) == 2


@pytest.mark.parametrize(
    "order",
    [
        "campaign.planned:kill:2",
        "issue.prepared:kill:2",
        "issue.before_sign:kill:2",
        "issue.signed_before_journal:kill:4",
        "issue.journalled:kill:1",
        "issue.before_commit:kill:2",
        "issue.committed_before_reply:kill:1",
    ],
)
def test_a_process_killed_anywhere_leaves_nothing_lost_and_nothing_doubled(city: Settings, order: str) -> None:
    campaign_id = running_campaign([request_der() for _ in range(ROWS)])
    assert run_and_die(campaign_id, order, size=3) == -9
    Engine(city, campaign_id, size=3).run()
    assert [one.result for one in outcomes_of(campaign_id)] == [Result.CERTIFIED] * ROWS
    found = certificates_of(campaign_id)
    issued = [one for one in found if one.state == CertificateState.ISSUED]
    assert len({one.person_id for one in issued}) == len(issued) == entries_of(campaign_id) == ROWS
    assert len({one.serial for one in found}) == len(found)
    assert state_of(campaign_id) == CampaignState.FINISHED
    assert not list((city.data_dir / "campaigns").rglob("*.journal"))


def test_what_may_have_been_signed_without_a_trace_is_listed_as_revoked_and_done_again(city: Settings) -> None:
    campaign_id = running_campaign([request_der() for _ in range(3)])
    assert run_and_die(campaign_id, "issue.signed_before_journal:kill:2", size=3) == -9
    Engine(city, campaign_id, size=3).run()
    (abandoned,) = (one for one in certificates_of(campaign_id) if one.state == CertificateState.ABANDONED)
    assert abandoned.der is None
    with db.transaction() as session:
        assert session.get(Revocation, abandoned.id) is not None
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.act == "certificate_abandoned")) is not None


def test_two_processes_share_a_campaign_and_do_no_row_twice(city: Settings) -> None:
    campaign_id = running_campaign([request_der() for _ in range(24)], agencies=("H99.02", "H99.03"))
    tasks.run.func(str(campaign_id))
    issued = certificates_of(campaign_id)
    assert len({one.person_id for one in issued}) == len(issued) == entries_of(campaign_id) == 24
    assert state_of(campaign_id) == CampaignState.FINISHED


def test_a_campaign_that_is_paused_takes_no_new_rows_and_goes_on_when_it_runs_again(city: Settings) -> None:
    campaign_id = running_campaign([request_der() for _ in range(ROWS)])
    engine = Engine(city, campaign_id, size=2)
    assert engine.step()
    _set(campaign_id, CampaignState.PAUSED)
    assert not engine.step()
    engine.run()
    assert len(outcomes_of(campaign_id)) == 2
    assert state_of(campaign_id) == CampaignState.PAUSED
    _set(campaign_id, CampaignState.RUNNING)
    engine.run()
    assert len(outcomes_of(campaign_id)) == ROWS


def test_a_quota_of_a_wave_ends_it_and_a_quota_of_the_day_waits_for_tomorrow(city: Settings) -> None:
    limited = running_campaign([request_der() for _ in range(5)], quota=3)
    Engine(city, limited, size=2).run()
    assert len(outcomes_of(limited)) == 3
    assert state_of(limited) == CampaignState.FINISHED
    daily = running_campaign([request_der() for _ in range(5)], quota_per_day=3)
    now = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    Engine(city, daily, size=2, now=lambda: now).run()
    assert len(outcomes_of(daily)) == 3
    assert state_of(daily) == CampaignState.RUNNING
    Engine(city, daily, size=2, now=lambda: now + timedelta(days=1)).run()
    assert len(outcomes_of(daily)) == 5


def test_waves_go_one_after_the_other_and_one_that_waits_keeps_the_campaign_open(city: Settings) -> None:
    campaign_id = running_campaign([request_der() for _ in range(4)], agencies=("H99.02", "H99.03"))
    with db.transaction() as session:
        session.execute(update(Wave).where(Wave.position == 2).values(state=WaveState.WAITING))
    Engine(city, campaign_id).run()
    assert len(outcomes_of(campaign_id)) == 2
    assert state_of(campaign_id) == CampaignState.RUNNING
    with db.transaction() as session:
        states = {one.position: one.state for one in session.scalars(select(Wave))}
        assert session.scalar(select(func.count()).where(Batch.state != BatchState.DONE)) == 0
    assert states == {1: WaveState.DONE, 2: WaveState.WAITING}


def test_only_one_job_works_on_a_campaign_and_the_tending_job_starts_what_nobody_works_on(city: Settings) -> None:
    campaign_id = running_campaign([request_der()])
    with runner._only_one(city, campaign_id) as alone:
        assert alone
        assert runner.is_running(city, campaign_id)
        assert not runner.work_off(city, campaign_id)
    assert not runner.is_running(city, campaign_id)


def queued(campaign_id: uuid.UUID) -> bool:
    """Whether the job that looks after campaigns has queued this one."""
    tasks.tend.func(timestamp=0)
    with db.transaction() as session:
        query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task AND args ->> 'campaign_id' = :id")
        return bool(session.execute(query, {"task": tasks.RUN_TASK, "id": str(campaign_id)}).scalar_one())


def test_the_tending_job_starts_what_runs_and_leaves_alone_what_waits_for_tomorrow(city: Settings) -> None:
    waiting = running_campaign([request_der() for _ in range(3)], quota_per_day=1)
    Engine(city, waiting).run()
    running = running_campaign([request_der()])
    assert queued(running)
    assert not queued(waiting)


def test_an_open_batch_of_a_campaign_that_was_stopped_is_taken_up(city: Settings) -> None:
    campaign_id = running_campaign([request_der() for _ in range(3)])
    assert run_and_die(campaign_id, "issue.journalled:kill", size=3) == -9
    _set(campaign_id, CampaignState.STOPPED)
    assert queued(campaign_id)
    Engine(city, campaign_id).run()
    assert [one.result for one in outcomes_of(campaign_id)] == [Result.CERTIFIED] * 3


def _set(campaign_id: uuid.UUID, state: CampaignState) -> None:
    with db.transaction() as session:
        session.execute(update(Campaign).where(Campaign.id == campaign_id).values(state=state))
