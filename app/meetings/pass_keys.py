"""Keys that sign passes: each signs for some days, then a new one takes its place and the old one is destroyed.

The certificate outlives the key, so that passes for a meeting weeks away stay good; nobody can make more of them. A key
belongs to the seal that its agency had when it was made: whoever ends that seal ends letters and passes alike
(`register.pass_signers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import authorities, key_access, register
from app.certificates.register import PassSigner
from app.core.permissions import Actor
from app.core.settings import Settings
from app.meetings.models import Meeting, MeetingState
from app.registry.models import Agency
from pki.errors import KeyUnavailable

# The next key is made so long before the present one stops signing.
AHEAD: Final = timedelta(hours=12)
# A job that took the key before it was replaced has ended by then.
_IN_USE: Final = timedelta(hours=1)


def signer_for(session: Session, settings: Settings, agency_id: UUID, *, actor: Actor, now: datetime) -> PassSigner:
    """Return the key that signs an agency's passes now, a new one if the last has signed long enough.

    Raises KeyUnavailable if neither the agency nor one above it has a key that may be used.
    """
    found = register.pass_signer_of(session, agency_id, now=now)
    if found is None:
        raise KeyUnavailable("the agency has no valid key for passes")
    if now - found.certificate.not_before < settings.pass_key_life:
        return found
    return _next(session, settings, found, actor=actor, now=now) or found


def renew_ahead(session: Session, settings: Settings, *, actor: Actor, now: datetime) -> int:
    """Make the next key wherever one that is in use stops soon; return how many were made."""
    made = 0
    for found in _in_use(session, now=now):
        if now - found.certificate.not_before >= settings.pass_key_life - AHEAD:
            made += _next(session, settings, found, actor=actor, now=now) is not None
    return made


def destroy_old(session: Session, settings: Settings, *, now: datetime) -> int:
    """Destroy the keys that no longer sign and return how many; their certificates stay for the passes they made."""
    newest = {one.agency.id: one for one in register.pass_signers(session, now=now) if one.usable}
    kept = {one.certificate.id for one in newest.values()}
    last = now - settings.pass_key_life - _IN_USE
    return sum(
        key_access.destroy(settings, one.certificate.key_reference)
        for one in register.pass_signers(session, now=now)
        if one.certificate.id not in kept and one.certificate.not_before < last and one.certificate.key_reference
    )


def _next(session: Session, settings: Settings, found: PassSigner, *, actor: Actor, now: datetime) -> PassSigner | None:
    """Make a key for the agency of `found` unless somebody else just did."""
    session.execute(select(Agency.id).where(Agency.id == found.agency.id).with_for_update(of=Agency))
    newest = register.pass_signer_of(session, found.agency.id, now=now)
    if newest is None or newest.certificate.id != found.certificate.id:
        return newest
    authorities.certify_pass_signer(session, settings, found.agency, actor=actor, now=now)
    return register.pass_signer_of(session, found.agency.id, now=now)


def _in_use(session: Session, *, now: datetime) -> Sequence[PassSigner]:
    """Return the signing keys of the agencies that invite to something still to come."""
    inviting = select(Meeting.agency_id).where(Meeting.ends_at > now, Meeting.state == MeetingState.SENT).distinct()
    found = (register.pass_signer_of(session, agency_id, now=now) for agency_id in session.scalars(inviting).all())
    return list({one.certificate.id: one for one in found if one is not None}.values())
