"""Campaigns from the upload to the end: who may do what, and each step as a compare-and-set with its log entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.audit import service as audit
from app.campaigns import approval
from app.campaigns.checking import place
from app.campaigns.content import payload_of
from app.campaigns.models import Campaign, CampaignState, Mode, Wave, WaveState
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.core.queue import enqueue
from app.registry import scope
from app.registry.models import Agency
from pki.profiles import ProfileName

CHECK_TASK: Final = "campaigns.check"
RUN_TASK: Final = "campaigns.run"
# Above this, a second officer has to approve (security guide, T4).
ALONE: Final = 20
PAGE: Final = 50
PROFILES: Final = (ProfileName.CITIZEN_SIGNING, ProfileName.OFFICIAL_SIGNING)
_MOST_DAYS: Final = 90
_CHANGED_MEANWHILE: Final = _l("The campaign has changed meanwhile. Nothing was done.")
_LOOK_AGAIN: Final = _l("Reload the page and look at it again.")


@dataclass(frozen=True)
class UploadedFile:
    """A file that lies in the storage."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Plan:
    """What an officer says about a campaign beside its file."""

    title: str
    mode: Mode
    profile: ProfileName
    agency_id: UUID | None
    invitation_days: int = 30
    letters_only: bool = False


def create(session: Session, actor: Actor, plan: Plan, file: UploadedFile, *, now: datetime) -> Campaign:
    """Add a campaign and queue the check of its file. Raises Forbidden outside the scope, Invalid."""
    if not scope.covers(session, actor, Permission.RUN_CAMPAIGNS, plan.agency_id):
        raise Forbidden(_l("Your account is not allowed to run a campaign for this agency."))
    if not plan.title.strip() or len(plan.title) > 120:
        raise Invalid(_l("Give the campaign a title of at most 120 characters."))
    if plan.profile not in PROFILES or not 1 <= plan.invitation_days <= _MOST_DAYS:
        raise Invalid(_l("A link may be good for 1 to 90 days."))
    campaign = Campaign(
        title=plan.title.strip(),
        mode=plan.mode,
        profile=plan.profile,
        agency_id=plan.agency_id,
        state=CampaignState.CHECKING,
        created_by=actor.account_id,
        created_at=now,
        file_name=file.name[-120:],
        file_sha256=file.sha256,
        file_version=1,
        invitation_days=plan.invitation_days,
        letters_only=plan.letters_only,
    )
    session.add(campaign)
    session.flush()
    _record(session, actor, "campaign_created", campaign, mode=plan.mode, file_sha256=file.sha256)
    _queue_check(session, campaign)
    return campaign


def replace_file(session: Session, actor: Actor, campaign_id: UUID, file: UploadedFile) -> Campaign:
    """Check a corrected file in place of the one before. Raises Conflict once the campaign was submitted."""
    campaign = find_own(session, actor, campaign_id)
    _move(
        session,
        campaign,
        (CampaignState.CHECKED, CampaignState.FAILED),
        CampaignState.CHECKING,
        file_name=file.name[-120:],
        file_sha256=file.sha256,
        file_version=campaign.file_version + 1,
        rows_checked=0,
        check_permille=0,
        check_started_at=None,
        checked_at=None,
        failure=None,
    )
    _record(session, actor, "campaign_file_replaced", campaign, file_sha256=file.sha256, version=campaign.file_version)
    _queue_check(session, campaign)
    return campaign


def board(session: Session, actor: Actor, *, state: str = "", before: datetime | None = None) -> Sequence[Campaign]:
    """Return a page of the campaigns in the actor's scope, newest first."""
    query = select(Campaign).where(scope.within(actor, Permission.READ_CAMPAIGNS, Campaign.agency_id))
    if state:
        query = query.where(Campaign.state == state)
    if before is not None:
        query = query.where(Campaign.created_at < before)
    return session.scalars(query.order_by(Campaign.created_at.desc()).limit(PAGE)).all()


def find(session: Session, actor: Actor, campaign_id: UUID) -> Campaign:
    """Return a campaign that the actor may look at. Raises NotFound."""
    return _find(session, actor, campaign_id, Permission.READ_CAMPAIGNS)


def find_own(session: Session, actor: Actor, campaign_id: UUID) -> Campaign:
    """Return a campaign that the actor may run. Raises NotFound, and Forbidden for who may only look."""
    found = _find(session, actor, campaign_id, Permission.READ_CAMPAIGNS)
    if not scope.covers(session, actor, Permission.RUN_CAMPAIGNS, found.agency_id):
        raise Forbidden(_l("Your account is not allowed to run a campaign for this agency."))
    return found


def waves_of(session: Session, campaign_id: UUID) -> Sequence[tuple[Wave, Agency]]:
    """Return the waves in their order, each with its agency."""
    query = select(Wave, Agency).join(Agency, Agency.id == Wave.agency_id).where(Wave.campaign_id == campaign_id)
    return [(wave, agency) for wave, agency in session.execute(query.order_by(Wave.position))]


def arrange(
    session: Session,
    actor: Actor,
    campaign_id: UUID,
    positions: Mapping[UUID, int],
    quotas: Mapping[UUID, int | None],
    *,
    quota_per_day: int | None,
) -> None:
    """Set the order of the waves and what each and a day may have at most. Raises Conflict once it was submitted."""
    campaign = find_own(session, actor, campaign_id)
    if any(quota is not None and quota < 1 for quota in (*quotas.values(), quota_per_day)):
        raise Invalid(_l("A limit is at least 1; leave it empty for none."))
    _move(session, campaign, (CampaignState.CHECKED,), CampaignState.CHECKED, quota_per_day=quota_per_day)
    waves = session.scalars(select(Wave).where(Wave.campaign_id == campaign_id).with_for_update()).all()
    place(session, sorted(waves, key=lambda wave: (positions.get(wave.id, wave.position), wave.position)))
    for wave in waves:
        wave.quota = quotas.get(wave.id, wave.quota)
    session.flush()
    _record(session, actor, "campaign_arranged", campaign, quota_per_day=quota_per_day)


def submit(session: Session, actor: Actor, campaign_id: UUID, *, now: datetime) -> Act | None:
    """Ask a second officer to approve, and return the act; a campaign of at most 20 is approved at once (None).

    Raises Conflict if it is not checked, Invalid if no row was accepted, TooMany over the officer's rate.
    """
    campaign = find_own(session, actor, campaign_id)
    if campaign.rows_accepted == 0:
        raise Invalid(_l("No row of the file was accepted, so there is nothing to start."), _l("Correct the file."))
    _move(session, campaign, (CampaignState.CHECKED,), CampaignState.SUBMITTED)
    payload = payload_of(session, campaign)
    campaign.content_digest = str(payload["rows_sha256"])
    _record(session, actor, "campaign_submitted", campaign, rows=campaign.rows_accepted, rows_sha256=str(payload["rows_sha256"]))  # fmt: skip  # noqa: E501
    if campaign.rows_accepted <= ALONE:
        approvals.check_rate(session, actor, "certificate_approval", campaign.agency_id, campaign.rows_accepted, now)
        campaign.state = CampaignState.APPROVED
        _record(session, actor, "campaign_approved", campaign, rows=campaign.rows_accepted)
        return None
    act = approvals.request(
        session,
        actor,
        approval.KIND,
        payload,
        agency_id=campaign.agency_id,
        object_kind="campaign",
        object_id=campaign.id,
        now=now,
    )
    campaign.act_id = act.id
    session.flush()
    return act


def reopen(session: Session, actor: Actor, campaign_id: UUID, *, now: datetime) -> None:
    """Take a campaign back from the second officer, or go on after they refused. Raises Conflict if it was approved."""
    campaign = find_own(session, actor, campaign_id)
    act = session.get(Act, campaign.act_id) if campaign.act_id else None
    if act is not None and act.state_at(now) is ActState.PENDING:
        approvals.withdraw(session, actor, act.id, now=now)
    _move(session, campaign, (CampaignState.SUBMITTED,), CampaignState.CHECKED, act_id=None, content_digest=None)
    _record(session, actor, "campaign_reopened", campaign)


def start(session: Session, actor: Actor, campaign_id: UUID, *, now: datetime) -> None:
    """Start an approved campaign: its waves are worked off in their order."""
    campaign = find_own(session, actor, campaign_id)
    _move(session, campaign, (CampaignState.APPROVED,), CampaignState.RUNNING, started_at=now)
    _move_waves(session, campaign, (WaveState.WAITING,), WaveState.RUNNING, started_at=now)
    _record(session, actor, "campaign_started", campaign, rows=campaign.rows_accepted)
    _queue_run(session, campaign)


def pause(session: Session, actor: Actor, campaign_id: UUID) -> None:
    """Take no further rows; what is under way is finished."""
    campaign = find_own(session, actor, campaign_id)
    _move(session, campaign, (CampaignState.RUNNING,), CampaignState.PAUSED)
    _record(session, actor, "campaign_paused", campaign, done=campaign.rows_done)


def resume(session: Session, actor: Actor, campaign_id: UUID) -> None:
    campaign = find_own(session, actor, campaign_id)
    _move(session, campaign, (CampaignState.PAUSED,), CampaignState.RUNNING)
    _record(session, actor, "campaign_resumed", campaign, done=campaign.rows_done)
    _queue_run(session, campaign)


def stop(session: Session, actor: Actor, campaign_id: UUID, *, now: datetime) -> None:
    """End a campaign for good with rows left over. What was issued stays."""
    campaign = find_own(session, actor, campaign_id)
    running = (CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)
    _move(session, campaign, running, CampaignState.STOPPED, finished_at=now)
    _move_waves(
        session,
        campaign,
        (WaveState.WAITING, WaveState.RUNNING, WaveState.PAUSED),
        WaveState.STOPPED,
        finished_at=now,
    )
    _record(session, actor, "campaign_stopped", campaign, done=campaign.rows_done, of=campaign.rows_accepted)


def pause_wave(session: Session, actor: Actor, campaign_id: UUID, wave_id: UUID) -> None:
    """Take no further rows of one wave; the others go on."""
    campaign = find_own(session, actor, campaign_id)
    _move_wave(session, campaign, wave_id, WaveState.RUNNING, WaveState.PAUSED)
    _record(session, actor, "campaign_wave_paused", campaign, wave=str(wave_id))


def resume_wave(session: Session, actor: Actor, campaign_id: UUID, wave_id: UUID) -> None:
    campaign = find_own(session, actor, campaign_id)
    _move_wave(session, campaign, wave_id, WaveState.PAUSED, WaveState.RUNNING)
    _record(session, actor, "campaign_wave_resumed", campaign, wave=str(wave_id))
    if campaign.state == CampaignState.RUNNING:
        _queue_run(session, campaign)


def _find(session: Session, actor: Actor, campaign_id: UUID, permission: Permission) -> Campaign:
    found = session.get(Campaign, campaign_id)
    if found is None or not scope.covers(session, actor, permission, found.agency_id):
        raise NotFound(_l("There is no such campaign."))
    return found


def _move(
    session: Session, campaign: Campaign, before: tuple[CampaignState, ...], to: CampaignState, **values: object
) -> None:
    """Change the state where one of the old ones still holds. Raises Conflict."""
    changed = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.state.in_(before))
        .values(state=to, **values)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    session.refresh(campaign)
    if changed is None:
        raise Conflict(_CHANGED_MEANWHILE, _LOOK_AGAIN)


def _move_waves(
    session: Session, campaign: Campaign, before: tuple[WaveState, ...], to: WaveState, **values: object
) -> None:
    session.execute(
        update(Wave)
        .where(Wave.campaign_id == campaign.id, Wave.state.in_(before))
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )


def _move_wave(session: Session, campaign: Campaign, wave_id: UUID, before: WaveState, to: WaveState) -> None:
    changed = session.execute(
        update(Wave)
        .where(Wave.id == wave_id, Wave.campaign_id == campaign.id, Wave.state == before)
        .values(state=to)
        .returning(Wave.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if changed is None:
        raise Conflict(_CHANGED_MEANWHILE, _LOOK_AGAIN)


def _queue_check(session: Session, campaign: Campaign) -> None:
    enqueue(session, CHECK_TASK, {"campaign_id": str(campaign.id)}, lock=f"campaign-check:{campaign.id}")


def _queue_run(session: Session, campaign: Campaign) -> None:
    enqueue(session, RUN_TASK, {"campaign_id": str(campaign.id)}, queueing_lock=f"campaign:{campaign.id}")


def _record(session: Session, actor: Actor, act: str, campaign: Campaign, **facts: str | int | None) -> None:
    audit.record(
        session, actor, act, object_kind="campaign", object_id=campaign.id, agency_id=campaign.agency_id, **facts
    )
