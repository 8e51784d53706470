"""The campaign as an act of two people: how it is described to the second one, and what their approval does."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.audit import service as audit
from app.campaigns import words
from app.campaigns.content import payload_of
from app.campaigns.models import Campaign, CampaignState, Mode
from app.core.errors import Conflict
from app.core.permissions import Actor, Permission

KIND = "campaign"
# Reading half a million rows and their waves takes a second officer longer than one certificate.
LIFETIME = timedelta(days=3)


def execute(session: Session, actor: Actor, act: approvals.Act, now: datetime) -> None:
    """Let the campaign be started. Raises Conflict if anything of it differs from what was approved."""
    del now
    campaign = session.get(Campaign, UUID(str(act.payload["campaign"])), with_for_update=True)
    if campaign is None or campaign.state != CampaignState.SUBMITTED or campaign.act_id != act.id:
        raise Conflict(_l("This campaign does not wait for an approval any more."))
    if payload_of(session, campaign) != act.payload:
        raise Conflict(_l("The campaign is not the one that was approved. Nothing was started."))
    campaign.state = CampaignState.APPROVED
    audit.record(
        session,
        actor,
        "campaign_approved",
        object_kind="campaign",
        object_id=campaign.id,
        agency_id=campaign.agency_id,
        rows=campaign.rows_accepted,
        rows_sha256=act.payload["rows_sha256"],
    )


def describe(session: Session, act: approvals.Act) -> approvals.Description:
    """Say what the campaign would do, from the payload of the act."""
    del session
    payload = act.payload
    rows = [
        (_l("Campaign"), payload["title"]),
        (_l("Way"), words.MODES[Mode(payload["mode"])]),
        (_l("Kind"), words.profile_word(payload["profile"])),
        (_l("People"), str(payload["rows"])),
        (_l("Waves"), ", ".join(f"{code}: {count}" for _, code, count, _ in payload["waves"][:40])),
        (_l("At most a day"), str(payload["quota_per_day"] or "–")),
        (_l("Digest of the rows"), payload["rows_sha256"]),
    ]
    impact = (
        _l("Certificates are issued without anybody looking at each person again.")
        if payload["mode"] == Mode.ISSUE
        else _l("Everybody on the list gets a link that ends in a certificate.")
    )
    title = _l("Campaign “%(title)s” for %(count)s people", title=payload["title"], count=payload["rows"])
    return approvals.Description(title=title, rows=rows, impact=[impact])


approvals.register(
    approvals.ActKind(
        name=KIND,
        permission=Permission.RUN_CAMPAIGNS,
        approvals=1,
        lifetime=LIFETIME,
        execute=execute,
        describe=describe,
    )
)
