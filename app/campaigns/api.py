"""Operations of the API on campaigns. Files over 25 MB go through the page or the command line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final, Self
from uuid import UUID

from flask import Response, stream_with_context
from pydantic import Field

from app.campaigns import exports, progress, service
from app.campaigns.models import Campaign, CampaignState, Mode
from app.campaigns.service import Plan, UploadedFile
from app.core.permissions import Permission
from app.core.running import storage
from app.interface import cursors
from app.interface.operations import Call, Operations
from app.interface.schemas import After, Next, Strict
from pki.profiles import ProfileName

operations = Operations("campaigns")
_LARGEST: Final = 25 * 1024 * 1024


class CertificateKind(StrEnum):
    CITIZEN_SIGNING = ProfileName.CITIZEN_SIGNING
    OFFICIAL_SIGNING = ProfileName.OFFICIAL_SIGNING


class CampaignFacts(Strict):
    id: UUID
    title: str
    mode: Mode
    profile: str
    state: CampaignState
    failure: str | None
    created_at: datetime
    rows_checked: int
    rows_accepted: int
    rows_rejected: int
    rows_done: int
    rows_failed: int
    rate: Annotated[float, Field(description="People a second, in the last minute.")]
    seconds_left: float | None
    act_id: UUID | None

    @classmethod
    def of(cls, call: Call, one: Campaign) -> Self:
        run = progress.of_run(call.session, one, now=call.now)
        return cls(
            id=one.id,
            title=one.title,
            mode=Mode(one.mode),
            profile=one.profile,
            state=CampaignState(one.state),
            failure=one.failure,
            created_at=one.created_at,
            rows_checked=one.rows_checked,
            rows_accepted=one.rows_accepted,
            rows_rejected=one.rows_rejected,
            rows_done=one.rows_done,
            rows_failed=one.rows_failed,
            rate=run.rate,
            seconds_left=run.left.total_seconds() if run.left is not None else None,
            act_id=one.act_id,
        )


class CampaignPage(Strict):
    campaigns: list[CampaignFacts]
    next: Next


class CampaignQuery(Strict):
    state: CampaignState | None = None
    after: After = None


class NewCampaign(Strict):
    title: Annotated[str, Field(min_length=1, max_length=120)]
    mode: Mode
    profile: CertificateKind
    agency_id: Annotated[UUID | None, Field(description="Whose campaign it is; left out, the whole city's.")] = None
    invitation_days: Annotated[int, Field(ge=1, le=90)] = 30
    letters_only: Annotated[bool, Field(description="Also who has an address gets a printed letter.")] = False
    csv: Annotated[str, Field(min_length=1, max_length=_LARGEST, description="The file, with the template's heads.")]


@operations.add(
    "GET",
    "/campaigns",
    Permission.READ_CAMPAIGNS,
    "List campaigns, newest first",
    query=CampaignQuery,
    answer=CampaignPage,
)
def list_campaigns(call: Call, query: CampaignQuery) -> CampaignPage:
    found = service.board(call.session, call.actor, state=query.state or "", before=cursors.moment(query.after))
    more = found[-1].created_at.isoformat() if len(found) == service.PAGE else None
    return CampaignPage(campaigns=[CampaignFacts.of(call, one) for one in found], next=more)


@operations.add(
    "GET",
    "/campaigns/<uuid:campaign_id>",
    Permission.READ_CAMPAIGNS,
    "Look at a campaign and how far it is",
    answer=CampaignFacts,
)
def look_at_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    return CampaignFacts.of(call, service.find(call.session, call.actor, campaign_id))


@operations.add(
    "GET",
    "/campaigns/<uuid:campaign_id>/rows",
    Permission.READ_CAMPAIGNS,
    "Fetch what became of each row, as CSV",
)
def fetch_rows(call: Call, campaign_id: UUID) -> Response:
    service.find(call.session, call.actor, campaign_id)
    lines = stream_with_context(exports.csv_lines(campaign_id, exports.head()))
    return Response(lines, mimetype="text/csv; charset=utf-8")


@operations.add(
    "POST",
    "/campaigns",
    Permission.RUN_CAMPAIGNS,
    "Add a campaign; its file is checked at once",
    body=NewCampaign,
    answer=CampaignFacts,
    status=HTTPStatus.CREATED,
    upload=True,
)
def add_campaign(call: Call, body: NewCampaign) -> CampaignFacts:
    file = UploadedFile("api.csv", storage().put(body.csv.encode()))
    plan = Plan(
        body.title, body.mode, ProfileName(body.profile), body.agency_id, body.invitation_days, body.letters_only
    )
    return CampaignFacts.of(call, service.create(call.session, call.actor, plan, file, now=call.now))


@operations.add(
    "POST",
    "/campaigns/<uuid:campaign_id>/submission",
    Permission.RUN_CAMPAIGNS,
    "Submit a checked campaign; over 20 people a second officer approves it",
    answer=CampaignFacts,
)
def submit_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    service.submit(call.session, call.actor, campaign_id, now=call.now)
    return look_at_campaign(call, campaign_id)


@operations.add("POST", "/campaigns/<uuid:campaign_id>/start", Permission.RUN_CAMPAIGNS, "Start", answer=CampaignFacts)
def start_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    service.start(call.session, call.actor, campaign_id, now=call.now)
    return look_at_campaign(call, campaign_id)


@operations.add("POST", "/campaigns/<uuid:campaign_id>/pause", Permission.RUN_CAMPAIGNS, "Pause", answer=CampaignFacts)
def pause_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    service.pause(call.session, call.actor, campaign_id)
    return look_at_campaign(call, campaign_id)


@operations.add(
    "POST", "/campaigns/<uuid:campaign_id>/resumption", Permission.RUN_CAMPAIGNS, "Go on", answer=CampaignFacts
)
def resume_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    service.resume(call.session, call.actor, campaign_id)
    return look_at_campaign(call, campaign_id)


@operations.add(
    "POST", "/campaigns/<uuid:campaign_id>/stop", Permission.RUN_CAMPAIGNS, "Stop for good", answer=CampaignFacts
)
def stop_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    service.stop(call.session, call.actor, campaign_id, now=call.now)
    return look_at_campaign(call, campaign_id)


@operations.add(
    "POST",
    "/campaigns/<uuid:campaign_id>/reopening",
    Permission.RUN_CAMPAIGNS,
    "Take a submitted campaign back, to change it",
    answer=CampaignFacts,
)
def reopen_campaign(call: Call, campaign_id: UUID) -> CampaignFacts:
    service.reopen(call.session, call.actor, campaign_id, now=call.now)
    return look_at_campaign(call, campaign_id)
