"""The keys that may sign passes, as the trust list names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.certificates import register
from app.meetings.models import Building, Guest, Meeting, Pass, Room
from pki.authority import spki
from pki.passes.trust_list import EVERY_ZONE, Signer

# Two days of meeting and the time its door is open before and after.
LONGEST_PASS: Final = timedelta(days=3)


@dataclass(frozen=True)
class _Places:
    """Where the passes of a key lead; of a key that has made none yet, nothing is known."""

    buildings: tuple[str, ...] = ()
    zones: int = EVERY_ZONE


def trusted(session: Session, *, now: datetime) -> tuple[Signer, ...]:
    """Return a signer for each certificate that may sign passes now or has passes that count, from the register.

    A key that has signed passes is good for the buildings and zones of their meetings alone.
    """
    usable = [one for one in register.pass_signers(session, now=now) if one.usable]
    newest = {one.agency.id: one.certificate.id for one in usable}
    invites = _places(session, now=now)
    return tuple(
        _signer(one, invites.get(one.certificate.id, _Places()))
        for one in usable
        if one.certificate.id in invites or newest[one.agency.id] == one.certificate.id
    )


def ended(session: Session, *, now: datetime) -> frozenset[bytes]:
    """Return the names of keys of agencies that were revoked or suspended before their time."""
    return frozenset(one.kid for one in register.pass_signers(session, now=now) if not one.usable)


def _places(session: Session, *, now: datetime) -> Mapping[UUID, _Places]:
    """Return to which buildings and zones the passes of each certificate lead that have not ended by time."""
    query = (
        select(Pass.signer_certificate_id, Building.code, func.bit_or(Meeting.zones))
        .join(Guest, Guest.id == Pass.guest_id)
        .join(Meeting, Meeting.id == Guest.meeting_id)
        .join(Room, Room.id == Meeting.room_id)
        .join(Building, Building.id == Room.building_id)
        .where(Pass.not_after >= now)
        .group_by(Pass.signer_certificate_id, Building.code)
        .order_by(Building.code)
    )
    found: dict[UUID, _Places] = {}
    for certificate_id, code, zones in session.execute(query):
        before = found.get(certificate_id, _Places(zones=0))
        found[certificate_id] = _Places((*before.buildings, code), before.zones | (zones & EVERY_ZONE))
    return found


def _signer(one: register.PassSigner, places: _Places) -> Signer:
    certificate = x509.load_der_x509_certificate(one.certificate.der or b"")
    return Signer(
        one.kid,
        spki(certificate.public_key()),
        one.agency.code,
        one.agency.name,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        buildings=places.buildings,
        longest=LONGEST_PASS,
        zones=places.zones,
    )
