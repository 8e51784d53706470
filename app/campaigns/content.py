"""What a second officer approves: everything that decides who gets what, in one payload with a digest over all rows."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, Wave
from app.registry.models import Agency

# Row by row and then over all of them, in the database: half a million rows do not travel for it.
_DIGEST: Final = text(
    """
    SELECT encode(sha256(coalesce(string_agg(one.digest, ''::bytea ORDER BY one.number), ''::bytea)), 'hex')
    FROM (
        SELECT number, sha256(convert_to(jsonb_build_array(
            number, wave_id, agency_id, encode(number_index, 'hex'), encode(tail_index, 'hex'), surname, given_name,
            email, title, encode(sha256(csr_der), 'hex'), encode(sha256(spki_der), 'hex'))::text, 'UTF8')) AS digest
        FROM campaign_row WHERE campaign_id = :campaign AND state = 'accepted'
    ) AS one
    """
)


def rows_digest(session: Session, campaign_id: UUID) -> str:
    """Return SHA-256 over the content of the accepted rows, in hex."""
    return str(session.execute(_DIGEST, {"campaign": campaign_id}).scalar_one())


def payload_of(session: Session, campaign: Campaign) -> dict[str, Any]:
    """Return what is approved; equal exactly while nothing of it has changed."""
    waves = session.execute(
        select(Wave.position, Agency.code, Wave.rows_accepted, Wave.quota)
        .join(Agency, Agency.id == Wave.agency_id)
        .where(Wave.campaign_id == campaign.id)
        .order_by(Wave.position)
    )
    return {
        "campaign": str(campaign.id),
        "title": campaign.title,
        "mode": campaign.mode,
        "profile": campaign.profile,
        "file_sha256": campaign.file_sha256,
        "rows": campaign.rows_accepted,
        "rows_sha256": rows_digest(session, campaign.id),
        "quota_per_day": campaign.quota_per_day,
        "invitation_days": campaign.invitation_days,
        "letters_only": campaign.letters_only,
        "waves": [[position, code, rows, quota] for position, code, rows, quota in waves],
    }
