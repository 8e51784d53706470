"""Intents that may or may not have been signed before a crash: never used, listed as revoked, their rows done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.audit import service as audit
from app.campaigns.intents import Intent, Intents
from app.campaigns.models import Batch, BatchState
from app.certificates.models import CertificateState
from app.certificates.publishing import publish_soon
from app.core.copying import copy_rows
from app.core.permissions import house
from app.registry.search import fold
from pki.revocation import RevocationReason, RevokedEntry, encode_entry

HOUSE: Final = house("campaigns.run")


def abandon(session: Session, batch: Batch, intents: Intents, abandoned: Sequence[Intent], *, now: datetime) -> None:
    """List the serial numbers of intents of unknown outcome as revoked, and plan their rows again under new ones."""
    at = now.replace(microsecond=0)
    reason = RevocationReason.UNSPECIFIED
    copy_rows(
        session,
        "certificate (id, authority_id, serial, shard, state, profile, profile_digest, person_id, agency_id, label,"
        " search_name, not_before, not_after, spki_sha256, tbs_der, created_at)",
        "uuid uuid bytea int4 text text text uuid uuid text text timestamptz timestamptz text bytea timestamptz",
        (
            (
                one.certificate_id,
                intents.authority_id,
                one.serial,
                one.shard,
                CertificateState.ABANDONED.value,
                intents.profile,
                intents.profile_digest,
                one.person_id,
                one.agency_id,
                one.label,
                fold(one.label),
                one.not_before,
                one.not_after,
                one.spki_sha256.hex(),
                one.tbs_der,
                now,
            )
            for one in abandoned
        ),
    )
    copy_rows(
        session,
        "revocation (certificate_id, authority_id, serial, shard, not_after, reason, revoked_at, entry_der)",
        "uuid uuid bytea int4 timestamptz int4 timestamptz bytea",
        (
            (
                one.certificate_id,
                intents.authority_id,
                one.serial,
                one.shard,
                one.not_after,
                reason.value,
                at,
                encode_entry(RevokedEntry(int.from_bytes(one.serial, "big"), at, reason)),
            )
            for one in abandoned
        ),
    )
    session.add(
        Batch(
            campaign_id=batch.campaign_id,
            wave_id=batch.wave_id,
            state=BatchState.PLANNED,
            numbers=[one.number for one in abandoned],
            created_at=now,
        )
    )
    for one in abandoned:
        audit.record(
            session,
            HOUSE,
            "certificate_abandoned",
            object_kind="certificate",
            object_id=one.certificate_id,
            agency_id=one.agency_id,
            serial=one.serial.hex(),
            campaign=str(batch.campaign_id),
        )
    publish_soon(session)
