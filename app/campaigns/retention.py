"""Forgetting the people of campaigns that are long over: their rows keep the number, the state and the reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.campaigns.models import Campaign, CampaignState, Invitation, Row
from app.core.permissions import house
from app.notices import service as notices

HOUSE: Final = house("campaigns.purge")
KEPT: Final = timedelta(days=90)
# Where nothing happens any more; a campaign that waits for its second officer has an end of its own.
_OVER: Final = (CampaignState.FINISHED, CampaignState.STOPPED, CampaignState.CHECKED, CampaignState.FAILED)
_MOST: Final = 20


def due(session: Session, *, now: datetime) -> list[UUID]:
    """Return the campaigns whose people are to be forgotten now."""
    ended = func.coalesce(Campaign.finished_at, Campaign.checked_at, Campaign.created_at)
    query = select(Campaign.id).where(Campaign.state.in_(_OVER), Campaign.purged_at.is_(None), ended <= now - KEPT)
    return list(session.scalars(query.limit(_MOST)))


def purge(session: Session, campaign_id: UUID, *, now: datetime) -> int:
    """Take names, addresses, keys and links out of a campaign and return of how many rows; twice changes nothing.

    A campaign that was never started cannot be started afterwards: its list is gone, so it ends as stopped.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None or campaign.purged_at is not None or campaign.state not in _OVER:
        return 0
    invitations = session.scalars(select(Invitation.id).where(Invitation.campaign_id == campaign_id)).all()
    for begin in range(0, len(invitations), 10_000):
        notices.forget(session, invitations[begin : begin + 10_000])
    session.execute(update(Invitation).where(Invitation.campaign_id == campaign_id).values(token_sealed=b""))
    emptied = session.scalars(
        update(Row)
        .where(Row.campaign_id == campaign_id)
        .values(
            surname=None, given_name=None, email=None, title=None, number_index=None, tail_index=None,
            csr_der=None, spki_der=None, spki_sha256=None,
        )
        .returning(Row.number)
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    if campaign.state == CampaignState.CHECKED:
        campaign.state, campaign.finished_at = CampaignState.STOPPED, now
    campaign.purged_at = now
    session.flush()
    audit.record(
        session,
        HOUSE,
        "campaign_purged",
        object_kind="campaign",
        object_id=campaign.id,
        agency_id=campaign.agency_id,
        rows=len(emptied),
    )
    return len(emptied)
