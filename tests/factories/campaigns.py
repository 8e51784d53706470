"""Campaigns as the check of a file leaves them, with people and keys of their own."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives import serialization
from sqlalchemy import select

from app.campaigns.models import Campaign, CampaignState, Mode, Row, RowState, Wave, WaveState
from app.core import db
from app.registry.models import Agency
from pki.keys import Curve, SoftwareKey
from pki.profiles import ProfileName
from tests.factories.csrs import csr_der

NAMES = ("Nguyễn Văn An", "Trần Thị Bình", "Lê Hoàng Châu", "Phạm Đức Dũng", "Đặng Thị Mỹ Hạnh", "Võ Minh Khôi")


def request_der() -> bytes:
    """A certification request for a key that nobody has seen."""
    return csr_der(SoftwareKey.generate(Curve.P256), "campaign")


def spki_der() -> bytes:
    public_key = SoftwareKey.generate(Curve.P256).public_key
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def running_campaign(
    requests: Sequence[bytes],
    *,
    profile: ProfileName = ProfileName.CITIZEN_SIGNING,
    agencies: Sequence[str] = ("H99.03",),
    quota: int | None = None,
    quota_per_day: int | None = None,
    people: Sequence[str] = (),
) -> uuid.UUID:
    """Add a running campaign with a row for each request; rows go to the agencies in turn, one wave each.

    `people` names the citizen numbers of the rows, so that two campaigns may mean the same person.
    """
    campaign_id = uuid.uuid4()
    with db.transaction() as session:
        found = {one.code: one for one in session.scalars(select(Agency))}
        session.add(
            Campaign(
                id=campaign_id,
                title="Chữ ký cho phường Bến Đỏ",
                mode=Mode.ISSUE,
                profile=profile,
                state=CampaignState.RUNNING,
                created_at=datetime.now(UTC),
                file_name="phuong.csv",
                file_sha256="0" * 64,
                rows_accepted=len(requests),
                quota_per_day=quota_per_day,
            )
        )
        session.flush()
        waves = [
            Wave(
                campaign_id=campaign_id,
                position=position,
                agency_id=found[code].id,
                state=WaveState.RUNNING,
                quota=quota,
            )
            for position, code in enumerate(agencies, 1)
        ]
        session.add_all(waves)
        session.flush()
        for number, request in enumerate(requests, 1):
            surname, _, given_name = NAMES[number % len(NAMES)].rpartition(" ")
            person = people[number - 1] if people else f"{campaign_id} {number}"
            wave = waves[number % len(waves)]
            session.add(
                Row(
                    campaign_id=campaign_id,
                    number=number,
                    wave_id=wave.id,
                    agency_id=wave.agency_id,
                    state=RowState.ACCEPTED,
                    number_index=hashlib.sha256(person.encode()).digest(),
                    surname=surname,
                    given_name=given_name,
                    title="Chuyên viên" if profile is ProfileName.OFFICIAL_SIGNING else None,
                    csr_der=request,
                )
            )
    return campaign_id
