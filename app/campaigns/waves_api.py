"""Operations of the API on the waves of a campaign: their order and limits, pausing one and going on with it."""

from __future__ import annotations

from typing import Annotated, Final, Self
from uuid import UUID

from flask_babel import lazy_gettext as _l
from pydantic import Field

from app.campaigns import service
from app.campaigns.models import Wave, WaveState
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.interface.operations import Call, Operations
from app.interface.schemas import Strict
from app.registry.models import Agency

operations = Operations("campaign_waves")
# As large as the column is.
_LARGEST: Final = 2**31 - 1
Limit = Annotated[int | None, Field(ge=1, le=_LARGEST, description="At most so many people; null for no limit.")]


class WaveFacts(Strict):
    id: UUID
    position: int
    agency_code: str
    agency: str
    state: WaveState
    quota: int | None
    rows_accepted: int
    rows_done: int
    rows_failed: int

    @classmethod
    def of(cls, one: Wave, agency: Agency) -> Self:
        return cls(
            id=one.id,
            position=one.position,
            agency_code=agency.code,
            agency=agency.name,
            state=WaveState(one.state),
            quota=one.quota,
            rows_accepted=one.rows_accepted,
            rows_done=one.rows_done,
            rows_failed=one.rows_failed,
        )


class Waves(Strict):
    quota_per_day: int | None
    waves: list[WaveFacts]


class WantedWave(Strict):
    id: UUID
    quota: Limit = None


class Arrangement(Strict):
    quota_per_day: Limit = None
    waves: Annotated[
        list[WantedWave],
        Field(max_length=5_000, description="In the order wanted; those left out follow."),
    ]


@operations.add(
    "GET",
    "/campaigns/<uuid:campaign_id>/waves",
    Permission.READ_CAMPAIGNS,
    "List the waves of a campaign in their order",
    answer=Waves,
)
def list_waves(call: Call, campaign_id: UUID) -> Waves:
    campaign = service.find(call.session, call.actor, campaign_id)
    found = service.waves_of(call.session, campaign_id)
    return Waves(quota_per_day=campaign.quota_per_day, waves=[WaveFacts.of(wave, agency) for wave, agency in found])


@operations.add(
    "POST",
    "/campaigns/<uuid:campaign_id>/waves",
    Permission.RUN_CAMPAIGNS,
    "Arrange the waves of a checked campaign",
    body=Arrangement,
    answer=Waves,
)
def arrange_waves(call: Call, body: Arrangement, campaign_id: UUID) -> Waves:
    service.find_own(call.session, call.actor, campaign_id)
    known = [wave.id for wave, _agency in service.waves_of(call.session, campaign_id)]
    wanted = {one.id: one.quota for one in body.waves}
    if not set(wanted) <= set(known):
        raise NotFound(_l("There is no such wave in this campaign."))
    order = [*wanted, *(one for one in known if one not in wanted)]
    positions = {wave_id: position for position, wave_id in enumerate(order, 1)}
    service.arrange(call.session, call.actor, campaign_id, positions, wanted, quota_per_day=body.quota_per_day)
    return list_waves(call, campaign_id)


@operations.add(
    "POST",
    "/campaigns/<uuid:campaign_id>/waves/<uuid:wave_id>/pause",
    Permission.RUN_CAMPAIGNS,
    "Pause one wave; the others go on",
    answer=Waves,
)
def pause_wave(call: Call, campaign_id: UUID, wave_id: UUID) -> Waves:
    service.pause_wave(call.session, call.actor, campaign_id, wave_id)
    return list_waves(call, campaign_id)


@operations.add(
    "POST",
    "/campaigns/<uuid:campaign_id>/waves/<uuid:wave_id>/resumption",
    Permission.RUN_CAMPAIGNS,
    "Go on with one wave",
    answer=Waves,
)
def resume_wave(call: Call, campaign_id: UUID, wave_id: UUID) -> Waves:
    service.resume_wave(call.session, call.actor, campaign_id, wave_id)
    return list_waves(call, campaign_id)
