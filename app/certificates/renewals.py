"""Renewing: when it opens, how the ends of many are spread, and how the old certificate ends after the new one.

What a holder asks for is in `renewals_by_holder`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.certificates import profile_settings, revocations
from app.certificates.life_models import RenewalProof, Succession
from app.certificates.models import Certificate, CertificateRequest, CertificateState
from app.core.permissions import Actor
from pki.profiles import Profile, ProfileName

# A renewal opens when so much of the profile's life is left: 30 of 90 days.
WINDOW: Final = 3
# Certificates made on one day end over so much of a life before its full length: 15 of 90 days.
SPREAD: Final = 6
# How many planned ends a round of the job takes in one transaction.
BATCH: Final = 200
_BACKDATE: Final = timedelta(minutes=1)


def spread(person_id: UUID, validity: timedelta) -> timedelta:
    """Return how much earlier than its full life the certificate of a person ends, in whole seconds.

    From nothing to a sixth of `validity`, evenly over people and the same for one person every time: a campaign for
    470,000 people then comes back over weeks, not on one day. Bulk issuing subtracts it through `not_after_limit`.
    """
    share = int.from_bytes(hashlib.sha256(b"kyvao spread" + person_id.bytes).digest()[:8], "big")
    return timedelta(seconds=int(validity.total_seconds()) // SPREAD * share >> 64)


def not_after_limit(person_id: UUID, profile: Profile, *, now: datetime) -> datetime:
    """Return when the certificate of a person made now by `profile` as it is in force ends at the latest."""
    validity = profile.validity
    return now.replace(microsecond=0) - _BACKDATE + validity - timedelta(seconds=1) - spread(person_id, validity)


def opens_at(session: Session, profile: ProfileName, not_after: datetime) -> datetime:
    """Return from when a certificate may be renewed: when a third of a life, as the profile gives it now, is left."""
    return not_after - profile_settings.in_force(session, profile).validity / WINDOW


def is_void(session: Session, request: CertificateRequest) -> bool:
    """Say whether a renewal lost its ground: the certificate whose key proved it is not good any more."""
    proof = session.get(RenewalProof, request.id)
    if proof is None:
        return False
    state = session.scalar(select(Certificate.state).where(Certificate.id == proof.certificate_id))
    return state != CertificateState.ISSUED


def replace(
    session: Session,
    actor: Actor,
    request: CertificateRequest,
    successor: Certificate,
    *,
    grace: timedelta,
    now: datetime,
) -> None:
    """End the certificate that `successor` replaces: after `grace` where its key proved the renewal, else at once.

    Without that proof the old key may be in other hands.
    """
    if request.supersedes_id is None:
        return
    if session.get(RenewalProof, request.id) is None or not grace:
        revocations.supersede(session, actor, request.supersedes_id, now=now)
        return
    old = session.get_one(Certificate, request.supersedes_id)
    planned = insert(Succession).values(
        certificate_id=old.id, successor_id=successor.id, ends_at=min(now + grace, old.not_after)
    )
    session.execute(planned.on_conflict_do_nothing())


def planned_ends(session: Session, certificate_ids: list[UUID]) -> dict[UUID, datetime]:
    """Return when each of the certificates ends because a newer one took its place."""
    query = select(Succession.certificate_id, Succession.ends_at).where(
        Succession.certificate_id.in_(certificate_ids), Succession.ended_at.is_(None)
    )
    return {row.certificate_id: row.ends_at for row in session.execute(query)}


def end_superseded(session: Session, actor: Actor, *, now: datetime) -> int:
    """End certificates whose grace is over, at most BATCH of them, and return how many were due."""
    query = (
        select(Succession.certificate_id)
        .where(Succession.ends_at <= now, Succession.ended_at.is_(None))
        .order_by(Succession.ends_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    due = session.scalars(query).all()
    for certificate_id in due:
        # One that ended by time needs no entry in a list any more.
        if session.get_one(Certificate, certificate_id).not_after > now:
            revocations.supersede(session, actor, certificate_id, now=now)
    session.execute(update(Succession).where(Succession.certificate_id.in_(due)).values(ended_at=now))
    return len(due)
